package feedback

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"

	"laurel/data"
	"laurel/feedback/chat"
)

// Store keeps what was paid for, in a file of JSON lines that only grows. A
// value is with the kernel when Put returns, so that a process killed at any
// instant has lost nothing; it reaches the disk soon after, with all that came
// meanwhile in one sync. One process writes a store at a time. The values stay
// in the file: memory holds some 50 bytes for each.
type Store struct {
	// Repaired says what Open had to do to a file whose writer was killed; empty
	// where nothing.
	Repaired string

	path string
	file *os.File
	lock *flock.Flock

	mu    sync.Mutex // of all below
	index map[storeKey]storePlace
	size  int64
	lines int
	spent chat.Spent
	wrong error // after which nothing more is written

	dirty  chan struct{} // holds one token while there is something to sync
	synced chan error    // how the last sync went, once there is no more
}

// storeKey is the first half of a key.
type storeKey [16]byte

// storePlace is where the line of a key lies.
type storePlace struct {
	offset int64
	length int32
	again  bool // Finish makes it stale
	stale  bool // Get does not find it, Last does
}

// Key names a value by all that decides it: SHA-256 of the parts, each after
// its length.
func Key(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// messagesKey names what a model says to messages.
func messagesKey(kind, fingerprint string, messages []data.Message) string {
	parts := []string{kind, fingerprint}
	for _, m := range messages {
		parts = append(parts, m.Role, m.Content)
		if m.Whole != "" {
			parts = append(parts, m.Whole)
		}
	}
	return Key(parts...)
}

// OpenStore opens the store, a new one where there is no file. A last line
// that its writer was killed in is cut off.
func OpenStore(path string) (*Store, error) {
	_, err := os.Stat(path)
	created := errors.Is(err, os.ErrNotExist)
	s := &Store{path: path, index: map[storeKey]storePlace{}, lock: flock.New(path, flock.SetPermissions(0o644)),
		dirty: make(chan struct{}, 1), synced: make(chan error, 1)}
	locked, err := s.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("store %s is in use by another run: wait for its end, or name another --out", path)
	}
	if err := s.open(created); err != nil {
		return nil, errors.Join(err, s.lock.Unlock())
	}
	go s.sync()
	return s, nil
}

func (s *Store) open(created bool) (err error) {
	if s.file, err = os.OpenFile(s.path, os.O_RDWR, 0); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if created {
		err = data.SyncFolder(filepath.Dir(s.path))
	}
	if err == nil {
		err = s.load()
	}
	if err != nil {
		s.file.Close()
		return fmt.Errorf("store %s: %w", s.path, err)
	}
	return nil
}

// Get finds the value kept under a key and decodes it into value.
func (s *Store) Get(key string, value any) (found bool, err error) {
	return s.find(key, value, false)
}

// Last is Get that also finds what Finish has set to be asked again.
func (s *Store) Last(key string, value any) (found bool, err error) {
	return s.find(key, value, true)
}

// Has is Get, or Last where stale is set, without reading the value.
func (s *Store) Has(key string, stale bool) bool {
	short, err := shortKey(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	place, ok := s.index[short]
	return err == nil && ok && (stale || !place.stale)
}

func (s *Store) find(key string, value any, stale bool) (bool, error) {
	short, err := shortKey(key)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	place, ok := s.index[short]
	s.mu.Unlock()
	if !ok || place.stale && !stale {
		return false, nil
	}
	raw := make([]byte, place.length)
	if _, err := s.file.ReadAt(raw, place.offset); err != nil {
		return false, fmt.Errorf("read store %s: %w", s.path, err)
	}
	line, err := parseStoreLine(raw)
	if err == nil {
		err = json.Unmarshal(line.Value, value)
	}
	if err != nil {
		return false, fmt.Errorf("read store %s: at byte %d: %w: did another program change it?", s.path, place.offset, err)
	}
	return true, nil
}

// Put keeps a value under a key for good, with what it took.
func (s *Store) Put(key string, value any, spent chat.Spent) error {
	return s.put(key, value, spent, false)
}

// PutUntilFinished keeps a value that is of use only to the run under way:
// after Finish it is to be asked for again.
func (s *Store) PutUntilFinished(key string, value any, spent chat.Spent) error {
	return s.put(key, value, spent, true)
}

func (s *Store) put(key string, value any, spent chat.Spent, again bool) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write store %s: %w", s.path, err)
	}
	if _, err := shortKey(key); err != nil {
		return err
	}
	return s.append(storeLine{Key: key, Value: raw, Again: again, Spent: orNone(spent)})
}

// Spend records what was spent on work that gave nothing to keep.
func (s *Store) Spend(spent chat.Spent) error {
	if spent == (chat.Spent{}) {
		return nil
	}
	return s.append(storeLine{Spent: &spent})
}

// Finish says that a run came to its end: what was kept for it alone is asked
// for again.
func (s *Store) Finish() error { return s.append(storeLine{Finished: true}) }

// Spent is what everything in the store has taken.
func (s *Store) Spent() chat.Spent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spent
}

// append writes a line at the end. What a failed write leaves is cut off.
func (s *Store) append(line storeLine) error {
	raw, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("write store %s: %w", s.path, err)
	}
	raw = append(raw, '\n')
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong != nil {
		return s.wrong
	}
	if _, err := s.file.WriteAt(raw, s.size); err != nil {
		s.wrong = fmt.Errorf("write store %s: %w", s.path, err)
		return errors.Join(s.wrong, s.file.Truncate(s.size))
	}
	s.take(line, int32(len(raw)))
	select {
	case s.dirty <- struct{}{}:
	default:
	}
	return nil
}

// take enters a line that lies at the end of the file.
func (s *Store) take(line storeLine, length int32) {
	switch {
	case line.Finished:
		for key, place := range s.index {
			if place.again {
				place.stale = true
				s.index[key] = place
			}
		}
	case line.Key != "":
		short, _ := shortKey(line.Key) // the line was checked
		s.index[short] = storePlace{offset: s.size, length: length, again: line.Again}
	}
	if line.Spent != nil {
		s.spent = s.spent.Plus(*line.Spent)
	}
	s.size += int64(length)
	s.lines++
}

// sync brings what was written to disk, everything since the last time at
// once.
func (s *Store) sync() {
	var wrong error
	for range s.dirty {
		if err := s.file.Sync(); err != nil && wrong == nil {
			wrong = fmt.Errorf("write store %s: %w", s.path, err)
			s.mu.Lock()
			s.wrong = wrong
			s.mu.Unlock()
		}
	}
	s.synced <- wrong
}

// Close waits until everything is on disk. Nothing may be put any more.
func (s *Store) Close() error {
	close(s.dirty)
	return errors.Join(<-s.synced, s.file.Close(), s.lock.Unlock())
}

func orNone(s chat.Spent) *chat.Spent {
	if s == (chat.Spent{}) {
		return nil
	}
	return &s
}

// storeLine is one line: a value under its key, or what was spent without
// one, or that a run was finished.
type storeLine struct {
	Key      string          `json:"key,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"`
	Again    bool            `json:"again,omitempty"`
	Spent    *chat.Spent     `json:"spent,omitempty"`
	Finished bool            `json:"finished,omitempty"`
}

func parseStoreLine(raw []byte) (line storeLine, err error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&line); err != nil {
		return line, err
	}
	if rest := raw[decoder.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return line, errors.New("more follows the JSON object")
	}
	return line, line.check()
}

func (l *storeLine) check() error {
	if spent := l.Spent; spent != nil && (spent.Requests < 0 || spent.PromptTokens < 0 || spent.CompletionTokens < 0 || spent.Cost < 0) {
		return errors.New("spent is negative")
	}
	switch {
	case l.Key != "" && l.Value != nil && !l.Finished:
		_, err := shortKey(l.Key)
		return err
	case l.Key == "" && l.Value == nil && !l.Again && l.Finished != (l.Spent != nil):
		return nil
	}
	return errors.New("neither a key with its value, nor spent, nor finished")
}

func shortKey(key string) (short storeKey, err error) {
	whole, err := hex.DecodeString(key)
	if err != nil || len(whole) != sha256.Size {
		return short, fmt.Errorf("%q is no key: 64 hexadecimal digits are", key)
	}
	return storeKey(whole), nil
}
