package tidegate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// LongRunning is work that takes a while: a relayed call, a change of a ring, a move of the primary.
type LongRunning struct {
	ID string `json:"id"`
	// The type in the graph, for example RelayOperation.
	Typename string `json:"__typename"`
	// A state of LongRunningState, or one that a later release has added.
	State           string     `json:"state"`
	Reason          *string    `json:"reason"`
	StartedAt       *time.Time `json:"startedAt"`
	FinishedAt      *time.Time `json:"finishedAt"`
	ProgressPercent *float64   `json:"progressPercent"`
}

// Waited is how a wait ended.
type Waited struct {
	// Whether the work has ended: Work.State is SUCCEEDED, FAILED, REJECTED or CANCELLED, or UNKNOWN until a person settles it.
	HasEnded bool
	// As last read; nil: it could not be read.
	Work *LongRunning
	// Why it has not ended here; empty if it has.
	Why string
}

const (
	workDocument = "query ($id: ID!) { root: node(id: $id) { id __typename ... on LongRunning { state reason startedAt finishedAt progressPercent } } }"
	jobDocument  = "mutation ($input: RelayOperationSettleInput!) { root: relayOperationSettle(input: $input) { userErrors { code } } }"

	longestWaitPause = 2 * time.Second
)

var underWay = map[string]bool{"PENDING": true, "SENT": true, "ACCEPTED": true, "RUNNING": true, "PAUSED": true}
var ended = map[string]bool{"SUCCEEDED": true, "FAILED": true, "REJECTED": true, "CANCELLED": true, "UNKNOWN": true}

// WaitFor waits for the end of work with this global id. The error is a *Refused: it can't be waited for.
func (client *Client) WaitFor(ctx context.Context, id string, timeout time.Duration) (Waited, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	pauses := client.newBackoff(longestWaitPause)
	waited := Waited{Why: "there was no answer"}
	for ctx.Err() == nil {
		found, failed := client.askWithin(ctx, answerWithin, workDocument, variables{"id": id})
		var after time.Duration
		switch {
		case failed != nil && failed.isFinal():
			return waited, &Refused{Code: failed.code, Message: failed.message}
		case failed != nil:
			waited.Why, after = failed.message, failed.retryAfter
		case found == nil:
			return waited, &Refused{Code: "NOT_FOUND", Message: fmt.Sprintf("there is no work with the id %s, or it may not be seen", id)}
		default:
			var work LongRunning
			if err := json.Unmarshal(found, &work); err != nil {
				return waited, &Refused{Code: "INVALID_INPUT", Message: err.Error()}
			}
			if work.State == "" {
				return waited, &Refused{Code: "INVALID_INPUT", Message: fmt.Sprintf("%s is a %s, not work with an end", id, work.Typename)}
			}
			if waited.Work == nil || waited.Work.State != work.State {
				pauses.restart()
			}
			waited.Work, waited.Why = &work, "it was "+work.State
			if hasEnded(work) {
				return Waited{HasEnded: true, Work: &work}, nil
			}
			// The relay reads the device's job only if somebody asks. It calls nothing on the device.
			if work.State == "ACCEPTED" && work.Typename == "RelayOperation" {
				client.askWithin(ctx, longestWait+answerWithin, jobDocument, variables{"input": variables{"id": id}})
			}
		}
		pauses.pause(ctx, after)
	}
	return waited, nil
}

// A state that this client does not know has ended if the work says when.
func hasEnded(work LongRunning) bool {
	return ended[work.State] || (!underWay[work.State] && work.FinishedAt != nil)
}

func (client *Client) askWithin(ctx context.Context, most time.Duration, document string, given variables) (json.RawMessage, *fault) {
	ctx, cancel := within(ctx, most)
	defer cancel()
	return client.ask(ctx, document, given)
}

// Query reads the data of a query into a value as json.Unmarshal does, and repeats the query until there is an answer. The error is a *Refused,
// or that of ctx.
func (client *Client) Query(ctx context.Context, document string, given map[string]any, into any) error {
	ctx, cancel := withDefaultDeadline(ctx)
	defer cancel()
	pauses := client.newBackoff(client.longestPause)
	for ctx.Err() == nil {
		attempt, done := within(ctx, answerWithin)
		data, failed := client.askAll(attempt, document, given)
		done()
		if failed == nil {
			text, err := json.Marshal(data)
			if err != nil {
				return err
			}
			return json.Unmarshal(text, into)
		}
		if failed.isFinal() {
			return &Refused{Code: failed.code, Message: failed.message}
		}
		pauses.pause(ctx, failed.retryAfter)
	}
	return ctx.Err()
}
