package serve

import (
	"fmt"
	"net/http"
	"time"
)

// failure is an error that a request is told of.
type failure struct {
	status  int
	param   string // the key that it lies in, "" for none
	message string
	retry   time.Duration // when to come again; 0: not said
}

func (f *failure) Error() string { return f.message }

func fail(status int, param, format string, args ...any) *failure {
	return &failure{status: status, param: param, message: fmt.Sprintf(format, args...)}
}

// bad is a fault of the request itself.
func bad(param, format string, args ...any) *failure {
	return fail(http.StatusBadRequest, param, format, args...)
}

// statusClientGone is what nginx counts a request as whose client did not wait for
// the answer; nobody is sent it.
const statusClientGone = 499

// openAIError is the error body of OpenAI's API and of those after it.
func openAIError(f *failure) any {
	kind := "InternalServerError"
	switch f.status {
	case http.StatusUnauthorized:
		kind = "AuthenticationError"
	case http.StatusNotFound:
		kind = "NotFoundError"
	case http.StatusTooManyRequests:
		kind = "RateLimitError"
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		kind = "ServiceUnavailableError"
	default:
		if f.status < 500 {
			kind = "BadRequestError"
		}
	}
	var param any
	if f.param != "" {
		param = f.param
	}
	type body struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Param   any    `json:"param"`
		Code    int    `json:"code"`
	}
	return struct {
		Error body `json:"error"`
	}{body{f.message, kind, param, f.status}}
}
