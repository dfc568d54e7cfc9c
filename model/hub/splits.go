package hub

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readme of a data set begins with YAML, which may name the files of its
// configurations and splits.
const readme = "README.md"

// defaultConfig is what a data set's only configuration is called.
const defaultConfig = "default"

// split is one part of a data set.
type split struct {
	config, name string
	files        []string
}

var dataEndings = []string{".parquet", ".jsonl", ".jsonl.gz", ".json", ".csv"}

// stem is a data file's name without its ending; ok is false for other files.
func stem(file string) (name string, ok bool) {
	for _, ending := range dataEndings {
		if name, ok = strings.CutSuffix(path.Base(file), ending); ok {
			return name, true
		}
	}
	return "", false
}

// shardEnd is what numbers the files of a split: "-00000-of-00002", with a hash
// after it where the hub's own conversion made them.
var shardEnd = regexp.MustCompile(`-(\d{5})-of-(\d{5})(-[0-9a-f]+)?$`)

// namedSplits reads splits off the names of files, as data sets without a
// README lay them out: SPLIT.jsonl, data/SPLIT-00000-of-00001.parquet,
// CONFIG/SPLIT-….parquet, SPLIT/….parquet.
func namedSplits(files []string) []split {
	var found []split
	for _, file := range slices.Sorted(slices.Values(files)) {
		name, ok := stem(file)
		if !ok || strings.HasPrefix(path.Base(file), ".") || path.Base(file) == "dataset_infos.json" {
			continue
		}
		s := split{config: defaultConfig, name: shardEnd.ReplaceAllString(name, "")}
		dirs := strings.Split(path.Dir(file), "/")
		if last := dirs[len(dirs)-1]; isSplitName(last) && !isSplitName(s.name) {
			s.name, dirs = last, dirs[:len(dirs)-1]
		}
		dirs = slices.DeleteFunc(dirs, func(dir string) bool { return dir == "." || dir == "data" })
		if len(dirs) > 0 {
			s.config = strings.Join(dirs, "/")
		}
		found = addFile(found, s, file)
	}
	return found
}

func isSplitName(name string) bool {
	return slices.Contains([]string{"train", "validation", "valid", "dev", "val", "test"}, name)
}

func addFile(all []split, s split, file string) []split {
	for i := range all {
		if all[i].config == s.config && all[i].name == s.name {
			all[i].files = append(all[i].files, file)
			return all
		}
	}
	s.files = []string{file}
	return append(all, s)
}

// header is the YAML of a data set's README.
type header struct {
	Configs []struct {
		Name  string    `yaml:"config_name"`
		Dir   string    `yaml:"data_dir"`
		Files yaml.Node `yaml:"data_files"`
	} `yaml:"configs"`
}

// configuredSplits reads the README's configs, nil where it has none.
func configuredSplits(text []byte, files []string) ([]split, error) {
	rest, ok := bytes.CutPrefix(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("---\n"))
	front, _, closed := bytes.Cut(rest, []byte("\n---"))
	if !ok || !closed {
		return nil, nil
	}
	var h header
	if err := yaml.Unmarshal(front, &h); err != nil {
		return nil, fmt.Errorf("%s: %w", readme, err)
	}
	var found []split
	for _, c := range h.Configs {
		config := cmp.Or(c.Name, defaultConfig)
		if c.Files.IsZero() {
			continue
		}
		patterns, err := splitPatterns(c.Files)
		if err != nil {
			return nil, fmt.Errorf("%s: configuration %s: data_files: %w", readme, config, err)
		}
		for _, p := range patterns {
			for _, pattern := range p.files {
				matched, err := matching(path.Join(c.Dir, pattern), files)
				if err != nil {
					return nil, fmt.Errorf("%s: configuration %s: data_files: %w", readme, config, err)
				}
				for _, file := range matched {
					found = addFile(found, split{config: config, name: p.name}, file)
				}
			}
		}
	}
	return found, nil
}

// splitPatterns reads data_files: a pattern, a list of them, which are the
// split train, or a list of splits with a path or paths each.
func splitPatterns(node yaml.Node) ([]split, error) {
	var list []struct {
		Split string    `yaml:"split"`
		Path  yaml.Node `yaml:"path"`
	}
	if patterns, err := oneOrMore(node); err == nil {
		return []split{{name: "train", files: patterns}}, nil
	}
	if err := node.Decode(&list); err != nil {
		return nil, err
	}
	var found []split
	for _, entry := range list {
		patterns, err := oneOrMore(entry.Path)
		if err != nil {
			return nil, err
		}
		found = append(found, split{name: cmp.Or(entry.Split, "train"), files: patterns})
	}
	return found, nil
}

func oneOrMore(node yaml.Node) ([]string, error) {
	var one string
	if node.Decode(&one) == nil {
		return []string{one}, nil
	}
	var list []string
	return list, node.Decode(&list)
}

// matching are the files that a pattern names, where * stands for what has no
// slash and ** for anything.
func matching(pattern string, files []string) ([]string, error) {
	expression := regexp.QuoteMeta(pattern)
	for _, r := range [][2]string{{`\*\*/`, `(.*/)?`}, {`\*\*`, `.*`}, {`\*`, `[^/]*`}, {`\?`, `[^/]`}} {
		expression = strings.ReplaceAll(expression, r[0], r[1])
	}
	re, err := regexp.Compile("^" + expression + "$")
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	var found []string
	for _, file := range files {
		if re.MatchString(file) {
			found = append(found, file)
		}
	}
	slices.Sort(found)
	return found, nil
}

// chooseSplit finds what the parts of a name mean, or says what there is.
func chooseSplit(all []split, parts []string) (split, error) {
	if len(all) == 0 {
		return split{}, fmt.Errorf("the data set has no file that ends in %s", strings.Join(dataEndings, ", "))
	}
	meant := slices.DeleteFunc(slices.Clone(all), func(s split) bool { return !s.isMeant(parts) })
	if len(meant) > 1 { // a split of the default configuration needs no configuration
		if i := slices.IndexFunc(meant, func(s split) bool { return len(parts) == 1 && s.config == defaultConfig && s.name == parts[0] }); i >= 0 {
			meant = meant[i : i+1]
		}
	}
	switch {
	case len(meant) == 1:
		return meant[0], nil
	case len(meant) == 0:
		return split{}, fmt.Errorf("no %s in the data set, which has %s", strings.Join(parts, "/"), listed(all))
	}
	return split{}, fmt.Errorf("which split is meant? There are %s", listed(meant))
}

// isMeant tells whether config and split, or either alone, name the split.
func (s split) isMeant(parts []string) bool {
	switch len(parts) {
	case 0:
		return true
	case 1:
		return parts[0] == s.name || parts[0] == s.config
	}
	return parts[0] == s.config && parts[1] == s.name
}

// listed names splits as they are asked for.
func listed(all []split) string {
	const most = 20
	var names []string
	for _, s := range all {
		name := s.name
		if s.config != defaultConfig {
			name = s.config + "/" + s.name
		}
		names = append(names, name)
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// wholeShards refuses numbered files of which some are not there.
func wholeShards(files []string) error {
	have := map[string]int{}
	for _, file := range files {
		name, _ := stem(file)
		m := shardEnd.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		prefix := path.Join(path.Dir(file), strings.TrimSuffix(name, m[0]))
		have[prefix]++
		if of, _ := strconv.Atoi(m[2]); have[prefix] > of {
			return errors.New(file + " is numbered beyond the last of its split")
		}
	}
	for _, file := range files {
		name, _ := stem(file)
		if m := shardEnd.FindStringSubmatch(name); m != nil {
			prefix := path.Join(path.Dir(file), strings.TrimSuffix(name, m[0]))
			if of, _ := strconv.Atoi(m[2]); have[prefix] != of {
				return fmt.Errorf("%d of the %d files %s-… are there", have[prefix], of, prefix)
			}
		}
	}
	return nil
}
