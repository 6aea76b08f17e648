package tidegate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"strconv"
	"time"
)

const (
	answerWithin       = 15 * time.Second
	largestAnswerBytes = 8 << 20
)

// The request itself was wrong, and no resolver ran.
var refusals = map[string]bool{
	"UNAUTHENTICATED":              true,
	"FORBIDDEN":                    true,
	"INVALID_INPUT":                true,
	"LIMIT_EXCEEDED":               true,
	"RATE_LIMITED":                 true,
	"BAD_REQUEST":                  true,
	"BAD_USER_INPUT":               true,
	"GRAPHQL_PARSE_FAILED":         true,
	"GRAPHQL_VALIDATION_FAILED":    true,
	"OPERATION_RESOLUTION_FAILURE": true,
	"NOT_PUBLISHED":                true,
	"NOT_PLANNED":                  true,
}

// fault is what came in place of an answer.
type fault struct {
	// Refused before anything was done: the same request would be refused again, RATE_LIMITED only until retryAfter. If false, the request
	// may or may not have been executed: no answer, a lost part, a bug.
	isRefusal  bool
	code       string
	message    string
	retryAfter time.Duration
	// extensions.outcome of OUTCOME_NOT_RECORDED.
	outcome json.RawMessage
}

func (fault *fault) isFinal() bool {
	return fault.isRefusal && fault.code != "RATE_LIMITED"
}

func lost(format string, values ...any) *fault {
	return &fault{message: fmt.Sprintf(format, values...)}
}

type variables map[string]any

type graphError struct {
	Message    string `json:"message"`
	Extensions struct {
		Code         string          `json:"code"`
		Outcome      json.RawMessage `json:"outcome"`
		RetryAfterMs *float64        `json:"retryAfterMs"`
		Cursor       string          `json:"cursor"`
	} `json:"extensions"`
}

type graphAnswer struct {
	Data   map[string]json.RawMessage `json:"data"`
	Errors []graphError               `json:"errors"`
}

// ask sends a document whose one root field has the alias root: if that has a value, errors below it do not count. Once more after
// UNAUTHENTICATED. A nil value is a null.
func (client *Client) ask(ctx context.Context, document string, given variables) (json.RawMessage, *fault) {
	answer, failed := client.askAs(ctx, document, given)
	if failed != nil {
		return nil, failed
	}
	if root, isThere := answer.Data["root"]; isThere && string(root) != "null" {
		return root, nil
	}
	if len(answer.Errors) > 0 {
		return nil, faultOf(answer, 0)
	}
	return nil, nil
}

// askAll sends a query. If a root field is missing because of an error, nothing reliable came.
func (client *Client) askAll(ctx context.Context, document string, given variables) (map[string]json.RawMessage, *fault) {
	answer, failed := client.askAs(ctx, document, given)
	if failed != nil {
		return nil, failed
	}
	if len(answer.Errors) > 0 {
		return nil, faultOf(answer, 0)
	}
	return answer.Data, nil
}

func (client *Client) askAs(ctx context.Context, document string, given variables) (*graphAnswer, *fault) {
	refused := ""
	for {
		bearer, failed := client.token(ctx, refused)
		if failed != nil {
			return nil, failed
		}
		answer, failed := client.post(ctx, document, given, bearer)
		isExpired := failed != nil && failed.code == "UNAUTHENTICATED"
		if !isExpired || refused != "" {
			return answer, failed
		}
		refused = bearer
	}
}

func (client *Client) post(ctx context.Context, document string, given variables, bearer string) (*graphAnswer, *fault) {
	response, failed := client.send(ctx, document, given, bearer, "application/json")
	if failed != nil {
		return nil, failed
	}
	defer response.Body.Close()
	return readAnswer(ctx, response)
}

// send leaves the body of the response to the caller.
func (client *Client) send(ctx context.Context, document string, given variables, bearer, accept string) (*http.Response, *fault) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": given})
	if err != nil {
		return nil, &fault{isRefusal: true, code: "INVALID_INPUT", message: err.Error()}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, client.url, bytes.NewReader(body))
	if err != nil {
		return nil, &fault{isRefusal: true, code: "INVALID_INPUT", message: err.Error()}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", accept)
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	response, err := client.http.Do(request)
	if err != nil {
		return nil, noAnswer(ctx, err)
	}
	return response, nil
}

func noAnswer(ctx context.Context, err error) *fault {
	if ctx.Err() != nil {
		return lost("no answer in time")
	}
	return lost("no answer: %v", err)
}

// readAnswer reads an answer of GraphQL, with or without errors. A refusal has no data at all, and is a fault.
func readAnswer(ctx context.Context, response *http.Response) (*graphAnswer, *fault) {
	body, err := io.ReadAll(io.LimitReader(response.Body, largestAnswerBytes+1))
	if err != nil {
		return nil, noAnswer(ctx, err)
	}
	if len(body) > largestAnswerBytes {
		return nil, lost("the answer is larger than %d bytes", largestAnswerBytes)
	}
	retryAfter := retryAfterOf(response)
	var shape map[string]json.RawMessage
	var answer graphAnswer
	err = json.Unmarshal(body, &shape)
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	_, hasData := shape["data"]
	_, hasErrors := shape["errors"]
	if err != nil || (!hasData && !hasErrors) {
		failed := lost("HTTP %d without a GraphQL answer", response.StatusCode)
		failed.retryAfter = retryAfter
		return nil, failed
	}
	if answer.Data == nil && len(answer.Errors) > 0 {
		return nil, faultOf(&answer, retryAfter)
	}
	return &answer, nil
}

// faultOf says what the first error of an answer means.
func faultOf(answer *graphAnswer, retryAfter time.Duration) *fault {
	if len(answer.Errors) == 0 {
		return lost("no answer")
	}
	first := answer.Errors[0]
	code := first.Extensions.Code
	if told := first.Extensions.RetryAfterMs; told != nil {
		retryAfter = time.Duration(*told * float64(time.Millisecond))
	}
	failed := &fault{isRefusal: refusals[code], code: code, message: code + ": " + first.Message, retryAfter: retryAfter}
	if failed.isRefusal {
		failed.message = first.Message
	}
	if code == "OUTCOME_NOT_RECORDED" {
		failed.outcome = first.Extensions.Outcome
	}
	return failed
}

// RFC 9110 section 10.2.3, in seconds, sent by load balancers with 429 and 503.
func retryAfterOf(response *http.Response) time.Duration {
	seconds, err := strconv.ParseFloat(response.Header.Get("Retry-After"), 64)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// backoff doubles its pauses, plus up to a tenth at random so that clients do not return all at once.
type backoff struct {
	first, longest, next time.Duration
}

func (client *Client) newBackoff(longest time.Duration) *backoff {
	if longest > client.longestPause {
		longest = client.longestPause
	}
	return &backoff{first: client.firstPause, longest: longest, next: client.firstPause}
}

func (pauses *backoff) restart() {
	pauses.next = pauses.first
}

// pause is never shorter than the server asks, and ends early with the context.
func (pauses *backoff) pause(ctx context.Context, atLeast time.Duration) {
	chosen := pauses.next
	if chosen < atLeast {
		chosen = atLeast
	}
	pauses.next *= 2
	if pauses.next > pauses.longest {
		pauses.next = pauses.longest
	}
	chosen += time.Duration(float64(chosen) * rand.Float64() / 10)
	timer := time.NewTimer(chosen)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func within(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, most)
}
