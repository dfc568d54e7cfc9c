package board

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"laurel/localweb"
	"laurel/report"
)

//go:embed page
var files embed.FS

// Server is the page over a board.
type Server struct {
	Board   *Board
	Scorers *Scorers
}

// Handler answers the page's requests, with paths that begin at the site's root.
func (s *Server) Handler() (http.Handler, error) {
	mux := http.NewServeMux()
	if err := localweb.Assets(mux, files, map[string]string{"{$}": "page/board.html", "board.css": "page/board.css", "board.js": "page/board.js", "chart.js": "page/chart.js"}); err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /score", s.score)
	mux.HandleFunc("GET /report", s.report)
	return mux, nil
}

// sendEvery is how often a page is told what is new.
const sendEvery = 250 * time.Millisecond

// events streams what is new (server-sent events). The first event holds
// everything, so that a page that lost its connection begins anew.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	version, marks := -1, map[string]mark{}
	tick := time.NewTicker(sendEvery)
	defer tick.Stop()
	for {
		if n := s.Board.since(version, marks); n != nil {
			raw, err := json.Marshal(n)
			if err != nil {
				raw = fmt.Appendf(nil, `{"trouble":%q}`, err)
			}
			if _, err := fmt.Fprintf(w, "data: %s\n\n", raw); err != nil || out.Flush() != nil {
				return // the page has gone
			}
			version, marks = n.version, n.cursors
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// mostExamples are listed on a run's report.
const mostExamples = 10_000

// report is the page of one run, as laurel report makes it, of what its files hold
// now. Its own policy, which knows its one script, stands in place of the site's.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	page, err := s.reportOf(r.FormValue("run"))
	if err != nil {
		localweb.Fail(w, http.StatusBadRequest, err)
		return
	}
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page)
}

func (s *Server) reportOf(name string) ([]byte, error) {
	dir, err := s.Board.dir(name)
	if err != nil {
		return nil, err
	}
	run, err := report.Open(dir)
	if err != nil {
		return nil, err
	}
	made, err := report.New([]*report.Run{run}, mostExamples)
	if err != nil {
		return nil, err
	}
	return made.HTML()
}

func (s *Server) score(w http.ResponseWriter, r *http.Request) {
	var q question
	if err := localweb.ReadJSON(w, r, &q); err != nil {
		localweb.Fail(w, http.StatusBadRequest, err)
		return
	}
	dir, err := s.Board.dir(q.Run)
	if err == nil && (strings.TrimSpace(q.A) == "" || strings.TrimSpace(q.B) == "") {
		err = errors.New("two responses are needed")
	}
	if err != nil {
		localweb.Fail(w, http.StatusBadRequest, err)
		return
	}
	switch a, err := s.Scorers.score(r.Context(), dir, q); {
	case errors.Is(err, errBusy):
		localweb.Fail(w, http.StatusTooManyRequests, err)
	case err != nil:
		localweb.Fail(w, http.StatusInternalServerError, err)
	default:
		localweb.WriteJSON(w, http.StatusOK, a)
	}
}
