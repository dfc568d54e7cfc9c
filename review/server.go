package review

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"

	"laurel/eval/audit"
	"laurel/eval/stats"
	"laurel/localweb"
)

//go:embed page
var files embed.FS

var pages = template.Must(template.ParseFS(files, "page/*.html"))

// Principle is a rule that people may give a reason by.
type Principle struct{ Name, Text string }

// Server is the page over a book.
type Server struct {
	Book       *Book
	Annotator  string // whose page it is; empty: the page asks
	Principles []Principle
}

// Handler answers the page's requests, with paths that begin at the site's root.
func (s *Server) Handler() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /agreement", s.agreement)
	if err := localweb.Assets(mux, files, map[string]string{"review.css": "page/review.css", "review.js": "page/review.js"}); err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /next", s.next)
	mux.HandleFunc("POST /answer", s.answer)
	mux.HandleFunc("POST /undo", s.undo)
	return mux, nil
}

// page is the page of an annotator, or the question who it is.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	name, wrong := r.URL.Query().Get("annotator"), ""
	if s.Annotator != "" {
		name = s.Annotator
	}
	if r.URL.Query().Has("annotator") || name != "" {
		if err := s.mayAnswer(name); err != nil {
			wrong = err.Error()
		}
	}
	show := "review.html"
	if name == "" || wrong != "" {
		show = "who.html"
	}
	s.render(w, show, struct {
		Annotator, Wrong string
		Fixed            bool
		Principles       []Principle
		Known            []Progress
		Total            int
	}{name, wrong, s.Annotator != "", s.Principles, s.Book.Annotators(), len(s.Book.sheets)})
}

func (s *Server) mayAnswer(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if s.Annotator != "" && name != s.Annotator {
		return fmt.Errorf("this page is %s's alone: it was started with --annotator", s.Annotator)
	}
	return s.Book.elsewhere(name)
}

func (s *Server) render(w http.ResponseWriter, name string, value any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := pages.ExecuteTemplate(w, name, value); err != nil {
		fmt.Fprintf(w, "\n%s", template.HTMLEscapeString(err.Error()))
	}
}

// agreement shows figures alone: what others answered would lead.
func (s *Server) agreement(w http.ResponseWriter, r *http.Request) {
	a := s.Book.Agreement()
	rows := []kappaRow{newKappaRow("all, Krippendorff's α", a.People.Alpha)}
	for _, p := range a.People.Pairs {
		rows = append(rows, newKappaRow(p.A+" and "+p.B+", Cohen's κ", p.All))
	}
	s.render(w, "agreement.html", struct {
		Agreement
		Back string
		Rows []kappaRow
	}{a, r.URL.Query().Get("annotator"), rows})
}

// kappaRow is a row of the table of agreement.
type kappaRow struct {
	Name, Kappa, Interval, Agree string
	N                            int
}

func newKappaRow(name string, k audit.Kappa) kappaRow {
	row := kappaRow{name, "undefined: all answers are one", "", stats.Percent(k.Agreement), k.N}
	if k.Kappa.Defined() {
		row.Kappa, row.Interval = fmt.Sprintf("%.3f", float64(k.Kappa)), fmt.Sprintf("%.3f to %.3f", float64(k.Interval[0]), float64(k.Interval[1]))
	}
	return row
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("annotator")
	if err := s.mayAnswer(name); err != nil {
		localweb.Fail(w, http.StatusBadRequest, err)
		return
	}
	localweb.WriteJSON(w, http.StatusOK, s.Book.next(name))
}

// conflicted is what a page is told that another one was ahead of.
type conflicted struct {
	Error string `json:"error"`
	View  view   `json:"view"` // of what it would have written over
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	var e entry
	if err := localweb.ReadJSON(w, r, &e); err != nil {
		localweb.Fail(w, http.StatusBadRequest, err)
		return
	}
	if err := s.mayAnswer(e.Annotator); err != nil {
		localweb.Fail(w, http.StatusBadRequest, err)
		return
	}
	switch err := s.Book.answer(e); {
	case errors.Is(err, errConflict):
		localweb.WriteJSON(w, http.StatusConflict, conflicted{err.Error(), s.Book.show(e.Annotator, e.Item)})
	case err != nil:
		fail(w, err)
	default:
		localweb.WriteJSON(w, http.StatusOK, s.Book.next(e.Annotator))
	}
}

// undo answers with the comparison that is open again.
func (s *Server) undo(w http.ResponseWriter, r *http.Request) {
	var e struct {
		Annotator string `json:"annotator"`
		Lines     int    `json:"lines"`
	}
	if err := localweb.ReadJSON(w, r, &e); err != nil {
		localweb.Fail(w, http.StatusBadRequest, err)
		return
	}
	if err := s.mayAnswer(e.Annotator); err != nil {
		localweb.Fail(w, http.StatusBadRequest, err)
		return
	}
	switch item, err := s.Book.undo(e.Annotator, e.Lines); {
	case errors.Is(err, errConflict):
		localweb.WriteJSON(w, http.StatusConflict, conflicted{"another page of yours has gone on meanwhile: nothing was taken back", s.Book.next(e.Annotator)})
	case err != nil:
		fail(w, err)
	default:
		localweb.WriteJSON(w, http.StatusOK, s.Book.show(e.Annotator, item))
	}
}

// fail tells what the page cannot mend from what it can.
func fail(w http.ResponseWriter, err error) {
	if refused := (errRefused{}); errors.As(err, &refused) {
		localweb.Fail(w, http.StatusUnprocessableEntity, err)
		return
	}
	localweb.Fail(w, http.StatusInternalServerError, err)
}
