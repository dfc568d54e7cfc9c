package serve

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// begun is a request of which so many bytes have been sent, and no more will be.
func begun(t *testing.T, listening *httptest.Server, length, sent int) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", listening.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	head := fmt.Sprintf("POST /get_reward HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", length)
	if _, err := io.WriteString(connection, head+strings.Repeat(" ", sent)); err != nil {
		t.Fatal(err)
	}
	return connection
}

// status is that of the answer on a connection.
func status(t *testing.T, connection net.Conn) (int, string) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// TestBodiesAreBounded: bytes that stalled requests hold are bytes that no other large
// one may have, small ones are answered, and all comes back when the client goes.
func TestBodiesAreBounded(t *testing.T) {
	config := Default()
	config.MaxBody, config.MaxBodies = 8*bodyPart, 8*bodyPart
	s, listening := serving(t, config, opened(t, "rm", saved(t, 1, "")))
	stalled := begun(t, listening, 8*bodyPart, 7*bodyPart)
	for s.bodies.TryAcquire(2 * bodyPart) { // until it has them: another request could come before it, and then it is the one that is told to come again
		s.bodies.Release(2 * bodyPart)
		time.Sleep(time.Millisecond)
	}
	large, small := `{"query":["a"]}`+strings.Repeat(" ", 3*bodyPart), `{"query":["a"]}`
	until := func(want int) http.Header {
		t.Helper()
		for range 3000 {
			status, headers, answer := post(t, listening.URL+"/get_reward", large)
			if status == want {
				return headers
			}
			if status != http.StatusOK && status != http.StatusTooManyRequests {
				t.Fatalf("%d %s", status, answer)
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("never %d", want)
		return nil
	}
	if after := until(http.StatusTooManyRequests).Get("Retry-After"); after != "1" {
		t.Errorf("Retry-After %q", after)
	}
	if status, _, answer := post(t, listening.URL+"/get_reward", small); status != http.StatusOK {
		t.Errorf("small: %d %s", status, answer)
	}
	stalled.Close()
	until(http.StatusOK)
}

// TestStalledBody: one that stops coming is given up, and one that says beforehand
// that it is too long is not waited for.
func TestStalledBody(t *testing.T) {
	s, listening := serving(t, Default(), opened(t, "rm", saved(t, 1, "")))
	s.partTime = 50 * time.Millisecond
	if code, answer := status(t, begun(t, listening, 4*bodyPart, 2*bodyPart)); code != http.StatusRequestTimeout || !strings.Contains(answer, "stopped coming") {
		t.Errorf("%d %s", code, answer)
	}
	if code, answer := status(t, begun(t, listening, int(s.config.MaxBody)+1, 0)); code != http.StatusRequestEntityTooLarge || !strings.Contains(answer, "max-body") {
		t.Errorf("%d %s", code, answer)
	}
}

// TestAnswersOutliveTheBodysDeadline: the time that a large body has is over before its
// rewards are there, and the client has them all the same.
func TestAnswersOutliveTheBodysDeadline(t *testing.T) {
	s, listening, let := stuck(t, Default())
	s.partTime = time.Second // a loaded machine sends a part in less
	time.AfterFunc(3*s.partTime, let)
	if code, _, answer := post(t, listening.URL+"/get_reward", `{"query":["a"]}`+strings.Repeat(" ", 3*bodyPart)); code != http.StatusOK {
		t.Errorf("%d %s", code, answer)
	}
}

// TestLargeRequestsWaitForOneAnother, and small ones for none of them.
func TestLargeRequestsWaitForOneAnother(t *testing.T) {
	s, listening := serving(t, Default(), opened(t, "rm", saved(t, 1, "")))
	if !s.large.TryAcquire(s.config.MaxBody) {
		t.Fatal("taken")
	}
	answers := make(chan error, 1)
	go func() {
		_, err := asked(listening.Client(), listening.URL, []string{strings.Repeat("a ", bodyPart)})
		answers <- err
	}()
	if _, err := asked(listening.Client(), listening.URL, []string{"a"}); err != nil {
		t.Error(err)
	}
	select {
	case err := <-answers:
		t.Errorf("answered: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	s.large.Release(s.config.MaxBody)
	if err := <-answers; err != nil {
		t.Error(err)
	}
}
