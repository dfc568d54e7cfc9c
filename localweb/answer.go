package localweb

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

// style is the stylesheet that all pages share: colours, type, buttons, for light
// and dark.
//
//go:embed style.css
var style []byte

// icon is that of every page.
//
//go:embed icon.svg
var icon []byte

// longestBody is more than any form here sends.
const longestBody = 1 << 20

// ReadJSON reads a request's object of JSON, at most 1 MiB. Its keys must be
// known.
func ReadJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return errors.New("the Content-Type is not application/json")
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, longestBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	return nil
}

// WriteJSON answers with an object of JSON.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	raw, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "write the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(append(raw, '\n')) // a failure is the client's: it has gone
}

// Fail answers with what went wrong, as {"error": …}.
func Fail(w http.ResponseWriter, status int, err error) {
	WriteJSON(w, status, map[string]string{"error": err.Error()})
}

// kinds are the media types of a site's files.
var kinds = map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

// Assets serves what pages have in common, base.css and icon.svg, and a site's own
// files of a folder, by their paths: {$} is the site's root.
func Assets(mux *http.ServeMux, folder fs.FS, own map[string]string) error {
	mux.HandleFunc("GET /base.css", file("text/css; charset=utf-8", style))
	mux.HandleFunc("GET /icon.svg", file("image/svg+xml", icon))
	for at, name := range own {
		content, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		mux.HandleFunc("GET /"+at, file(kinds[path.Ext(name)], content))
	}
	return nil
}

// file serves content of a media type.
func file(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Write(content) // as in WriteJSON
	}
}
