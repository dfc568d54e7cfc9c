package drawtest

import (
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// widths are those of a phone, a tablet and a desk, in CSS pixels.
var widths = [...]int{390, 768, 1280}

// measuring lays the page out in a frame of each width, and says what is wider
// than the frame, is a table that its box neither holds nor scrolls, or is a
// text of a chart that reaches out of it or into another, in fonts of several
// widths.
const measuring = `<!DOCTYPE html><html><body><script>
function clashes(svg) {
  const frame = svg.getBoundingClientRect(), bad = [];
  const texts = [...svg.querySelectorAll("text")].map(t => ({says: t.textContent, box: t.getBoundingClientRect()}));
  texts.forEach((a, i) => {
    if (a.box.left < frame.left - 1 || a.box.right > frame.right + 1) bad.push("outside its chart: " + a.says);
    for (const b of texts.slice(i + 1)) {
      if (Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 1 && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 4) bad.push(a.says + " over " + b.says);
    }
  });
  return bad;
}
function measure(frame) {
  const doc = frame.contentDocument, wide = frame.clientWidth, bad = [];
  if (doc.documentElement.scrollWidth > wide) bad.push("document of " + doc.documentElement.scrollWidth);
  for (const e of doc.querySelectorAll("main *")) {
    const box = e.getBoundingClientRect();
    if (!e.closest(".scroll, figure") && box.right > wide + 0.5) bad.push(e.tagName + " to " + box.right + ": " + e.textContent.slice(0, 40));
  }
  const tables = doc.querySelectorAll("table");
  for (const t of tables) {
    const box = t.closest(".scroll"), r = box && box.getBoundingClientRect();
    if (!box || r.right > wide + 0.5 || r.left < 0) { bad.push("table outside its box"); continue; }
    if (t.scrollWidth > box.clientWidth + 1) {
      box.scrollLeft = 1e6;
      if (box.scrollLeft + box.clientWidth < t.scrollWidth - 1) bad.push("table cut: " + t.textContent.slice(0, 40));
    }
  }
  for (const family of ["", "DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "Verdana"]) {
    for (const t of doc.querySelectorAll("figure text")) if (family) t.style.fontFamily = family;
    for (const svg of doc.querySelectorAll("figure svg")) bad.push(...clashes(svg).map(clash => family + " " + clash));
  }
  return "width " + wide + ", tables " + tables.length + ", dark " + doc.defaultView.matchMedia("(prefers-color-scheme: dark)").matches + ": " + bad.join("; ") + "|";
}
onload = () => { document.getElementById("found").textContent = "measured " + [...document.querySelectorAll("iframe")].map(measure).join(" "); };
</script><pre id="found"></pre>%s</body></html>`

// Fits lays the page out in Chromium and fails where something is cut at any of
// the widths. Without Chromium it skips.
func Fits(t *testing.T, page string) {
	t.Helper()
	browser := findBrowser()
	if browser == "" {
		t.Skip("SKIPPED: no chromium, chromium-browser or google-chrome in PATH: pages are not laid out")
	}
	var frames strings.Builder
	for _, w := range widths {
		fmt.Fprintf(&frames, `<iframe width="%d" height="900" style="border:0" srcdoc="%s"></iframe>`, w, html.EscapeString(page))
	}
	path := filepath.Join(t.TempDir(), "measure.html")
	if err := os.WriteFile(path, fmt.Appendf(nil, measuring, frames.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(), "--timeout=60000", "--dump-dom", "file://"+path)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", browser, err)
	}
	found := regexp.MustCompile(`measured ([^<]*)</pre>`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("%s measured nothing", browser)
	}
	lines := strings.Split(strings.TrimRight(string(found[1]), "|"), "|")
	if len(lines) != len(widths) {
		t.Errorf("%d widths measured: %s", len(lines), found[1])
	}
	for _, line := range lines {
		if !strings.HasSuffix(line, ": ") {
			t.Error(line)
		}
	}
	t.Log(string(found[1]))
}

func findBrowser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
