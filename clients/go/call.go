package tidegate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Call is one intended change.
type Call struct {
	// A relaying mutation, for example firewallRuleCreate or relayCall.
	Mutation string
	// Your own id of the task, stored before the first request: after a crash repeat the call with it. It is kept for 7 days.
	IdempotencyKey string
	// The mutation's input without idempotencyKey, waitMs and dryRun.
	Input map[string]any
}

// Operation is a call that was relayed to a backend, as last read.
type Operation struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	State       string          `json:"state"`
	Result      json.RawMessage `json:"result"`
	DeviceError *DeviceError    `json:"deviceError"`
	// Until then a call with the outcome UNKNOWN may still take effect.
	QuietUntil      *time.Time `json:"quietUntil"`
	ChangedMappings []Mapping  `json:"changedMappings"`
}

// DeviceError is what a device said.
type DeviceError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Mapping says which backend object a CMP object became.
type Mapping struct {
	ID           string  `json:"id"`
	Resource     string  `json:"resource"`
	Scope        string  `json:"scope"`
	ObjectKey    string  `json:"objectKey"`
	UUID         *string `json:"uuid"`
	MappingState string  `json:"mappingState"`
}

// Refusal is an entry of userErrors, or a refusal of the whole request.
type Refusal struct {
	Code         string   `json:"code"`
	Message      string   `json:"message"`
	Field        []string `json:"field"`
	Retry        string   `json:"retry"`
	RetryAfterMs *float64 `json:"retryAfterMs"`
}

// Kinds of outcomes.
const (
	// The device executed it.
	Succeeded = "SUCCEEDED"
	// The device refused: Operation.DeviceError.
	Failed = "FAILED"
	// Nothing happened, and nothing will without a new request: Refusals, or a call that was never sent.
	NothingDone = "REFUSED"
	// It was sent, and there is no verdict.
	Unknown = "UNKNOWN"
	// The requests ended before the outcome was known. The same call with the same key continues from here.
	Open = "OPEN"
)

// Outcome is what is known of a call.
type Outcome struct {
	Kind           string
	IdempotencyKey string
	// Nil: none was seen.
	Operation *Operation
	Refusals  []Refusal
	// The device's answer when the journal could not store it (OUTCOME_NOT_RECORDED); else nil.
	DeviceAnswer json.RawMessage
	// What a person has to check; empty: nothing.
	Person string
	// The number of requests.
	Requests int
}

const (
	defaultDeadline = 5 * time.Minute
	// How long a request lets the relay wait for the device, and the part of the deadline that is reserved for the last answer.
	longestWait = 30 * time.Second
	lastAnswer  = time.Second

	operationFields = `id name state result deviceError { code message } quietUntil
  changedMappings { id resource scope objectKey uuid mappingState }`
	payloadFields = "operation { " + operationFields + " } userErrors { code message field retry retryAfterMs }"
	readDocument  = "query ($id: ID!) { root: relayOperation(id: $id) { " + operationFields + " } }"
	lookDocument  = "mutation ($input: RelayOperationSettleInput!) { root: relayOperationSettle(input: $input) { " + payloadFields + " } }"
)

// The same request succeeds only after a person has done this.
var personFirst = map[string]string{
	"UNAUTHENTICATED":       "the token is not, or no longer, accepted: get another",
	"BACKEND_DISABLED":      "the backend is disabled: enable it",
	"HOST_KEY_UNKNOWN":      "no host key of the backend is accepted: compare it, and accept it",
	"CERTIFICATE_UNKNOWN":   "no certificate of the backend is accepted: compare it, and accept it",
	"CREDENTIALS_UNUSABLE":  "the stored credentials of the backend are missing, or do not open at its address: send them again",
	"UNSETTLED_PREDECESSOR": "an earlier call on the same object has no verdict: settle it",
}

var mutationName = regexp.MustCompile(`^[a-z][A-Za-z]{0,63}$`)

// request: the mutation with its key, a read of the operation, or a look of the relay at the job that the call became.
type request int

const (
	send request = iota
	read
	look
)

// step is the end, or what to request next.
type step struct {
	end   *Outcome
	next  request
	after time.Duration
}

// run is the knowledge so far.
type run struct {
	client *Client
	call   Call
	input  map[string]any
	// A request got no answer: it may still arrive and be executed, whatever the answers to later ones.
	isUncertain bool
	outcome     Outcome
	endsAt      time.Time
}

// CarryOut carries one relaying mutation to its outcome: the device is called at most once. The deadline is that of ctx, or 5 minutes; it ends
// the requests, never the call. The error is that of a call that can't be sent at all.
func (client *Client) CarryOut(ctx context.Context, call Call) (Outcome, error) {
	if !mutationName.MatchString(call.Mutation) {
		return Outcome{}, fmt.Errorf("tidegate: %q is not a mutation's name", call.Mutation)
	}
	if call.IdempotencyKey == "" {
		return Outcome{}, errors.New("tidegate: an idempotency key is needed")
	}
	if call.Input["dryRun"] == true {
		return Outcome{}, errors.New("tidegate: a dry run has no outcome to wait for")
	}
	// Every request sends the same input, even if the caller changes its map meanwhile.
	input := map[string]any{}
	for name, value := range call.Input {
		text, err := json.Marshal(value)
		if err != nil {
			return Outcome{}, fmt.Errorf("tidegate: %s of the input can't be sent: %w", name, err)
		}
		input[name] = json.RawMessage(text)
	}
	ctx, cancel := withDefaultDeadline(ctx)
	defer cancel()
	endsAt, _ := ctx.Deadline()
	state := &run{client: client, call: call, input: input, endsAt: endsAt}
	state.outcome.IdempotencyKey = call.IdempotencyKey
	return state.carryOut(ctx), nil
}

func withDefaultDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, defaultDeadline)
}

func (state *run) carryOut(ctx context.Context) Outcome {
	pauses := state.client.newBackoff(state.client.longestPause)
	requests := map[request]func(context.Context) step{send: state.send, read: state.read, look: state.look}
	next := send
	for ctx.Err() == nil {
		state.outcome.Requests++
		done := requests[next](ctx)
		if done.end != nil {
			return *done.end
		}
		if done.next != next {
			pauses.restart()
		}
		next = done.next
		pauses.pause(ctx, done.after)
	}
	return state.whenOver()
}

// send sends the mutation, with its key; the relay waits for the device meanwhile.
func (state *run) send(ctx context.Context) step {
	wait := time.Until(state.endsAt) - lastAnswer
	if wait > longestWait {
		wait = longestWait
	}
	if wait < 0 {
		wait = 0
	}
	mutation := state.call.Mutation
	document := fmt.Sprintf("mutation ($input: %s%sInput!) { root: %s(input: $input) { %s } }",
		strings.ToUpper(mutation[:1]), mutation[1:], mutation, payloadFields)
	input := variables{"idempotencyKey": state.call.IdempotencyKey, "waitMs": wait.Milliseconds()}
	for name, value := range state.input {
		if _, isOurs := input[name]; !isOurs {
			input[name] = value
		}
	}
	ctx, cancel := within(ctx, wait+answerWithin)
	defer cancel()
	found, failed := state.client.ask(ctx, document, variables{"input": input})
	if failed != nil && failed.isRefusal {
		return state.afterRefusal([]Refusal{refusalOf(failed)})
	}
	operation, errors, unread := payloadOf(found)
	if failed == nil {
		failed = unread
	}
	if failed != nil {
		state.isUncertain = true
		if failed.outcome != nil {
			state.outcome.DeviceAnswer = failed.outcome
		}
		return step{next: send, after: failed.retryAfter}
	}
	if len(errors) > 0 {
		return state.afterRefusal(errors)
	}
	if operation != nil {
		return state.afterState(operation)
	}
	return state.end(Open, "the key was used for a call that the journal no longer has: look at the backend")
}

// read reads the current state of the operation.
func (state *run) read(ctx context.Context) step {
	operation := state.outcome.Operation
	if operation == nil {
		return step{next: send}
	}
	ctx, cancel := within(ctx, answerWithin)
	defer cancel()
	found, failed := state.client.ask(ctx, readDocument, variables{"id": operation.ID})
	if failed != nil && failed.isFinal() {
		return state.end(Open, fmt.Sprintf("operation %s was %s, and can't be read (%s: %s)", operation.ID, operation.State, failed.code, failed.message))
	}
	if failed != nil {
		return step{next: read, after: failed.retryAfter}
	}
	// Missing or no longer visible: the key still finds it.
	if found == nil {
		return step{next: send}
	}
	var seen Operation
	if err := json.Unmarshal(found, &seen); err != nil {
		return step{next: read}
	}
	return state.afterState(&seen)
}

// look has the relay read the device's job of an ACCEPTED call. Only a read: it calls nothing on the device.
func (state *run) look(ctx context.Context) step {
	operation := state.outcome.Operation
	if operation == nil {
		return step{next: send}
	}
	ctx, cancel := within(ctx, longestWait+answerWithin)
	defer cancel()
	found, failed := state.client.ask(ctx, lookDocument, variables{"input": variables{"id": operation.ID}})
	if failed != nil && failed.isRefusal {
		return state.afterLookRefused(operation, []Refusal{refusalOf(failed)})
	}
	seen, errors, unread := payloadOf(found)
	if failed == nil {
		failed = unread
	}
	if failed != nil {
		return step{next: look, after: failed.retryAfter}
	}
	if seen == nil {
		return state.afterLookRefused(operation, errors)
	}
	return state.afterState(seen)
}

// afterRefusal: this request did nothing. An earlier one without an answer may have done something.
func (state *run) afterRefusal(refusals []Refusal) step {
	state.outcome.Refusals = refusals
	doing := ""
	retries := map[string]bool{}
	for _, each := range refusals {
		if each.Code == "IN_PROGRESS" {
			state.isUncertain = true
		}
		if doing == "" {
			doing = personFirst[each.Code]
		}
		retries[each.Retry] = true
	}
	if doing == "" && len(retries) == 1 && retries["SAME_KEY"] {
		return step{next: send, after: waitOf(refusals[0])}
	}
	correct := "correct the input, and send it with a new key"
	switch {
	case doing != "":
		correct = doing + "; then send the same request with the same key"
	case state.isUncertain:
		correct = "look at the operations of the backend before you send it with another key"
	case retries["SAME_KEY_AFTER_ACTION"]:
		correct = "remove the cause; then send the same request with the same key"
	case retries["NEVER"]:
		correct = "no retry helps"
	}
	words := wordsOf(refusals)
	if state.isUncertain {
		return state.end(Open, fmt.Sprintf("refused (%s), but an earlier request had no answer and may have been carried out: %s", words, correct))
	}
	return state.end(NothingDone, words+": "+correct)
}

func (state *run) afterState(operation *Operation) step {
	state.outcome.Operation = operation
	state.outcome.Refusals = nil
	isUnsent := operation.DeviceError != nil && operation.DeviceError.Code == "NOT_SENT"
	switch operation.State {
	case "SUCCEEDED":
		return state.end(Succeeded, "")
	case "FAILED":
		if !isUnsent {
			return state.end(Failed, "")
		}
		// Nothing left the relay, and the key is free again.
		return step{next: send}
	case "REJECTED":
		return step{next: send}
	case "PENDING", "SENT":
		return step{next: read}
	case "ACCEPTED":
		return step{next: look}
	}
	// UNKNOWN, or a state of a later release, which counts as it.
	until, said := "", ""
	if operation.QuietUntil != nil {
		until = "; until " + operation.QuietUntil.Format(time.RFC3339) + " it may still take effect"
	}
	if state.outcome.DeviceAnswer != nil {
		said = "; the device had answered: see DeviceAnswer"
	}
	return state.end(Unknown, fmt.Sprintf("operation %s was sent and has no verdict%s%s: look at the backend, or let relayOperationSettle look; do not send it with another key before that",
		operation.ID, until, said))
}

func (state *run) afterLookRefused(operation *Operation, refusals []Refusal) step {
	why := "no answer"
	if len(refusals) > 0 {
		first := refusals[0]
		if first.Retry == "SAME_KEY" {
			return step{next: look, after: waitOf(first)}
		}
		// Someone else has settled it meanwhile.
		if first.Code == "WRONG_STATE" {
			return step{next: read}
		}
		why = wordsOf(refusals[:1])
	}
	return state.end(Open, fmt.Sprintf("operation %s is a job on the device, and how it ended can't be read from here (%s): have an operator run relayOperationSettle", operation.ID, why))
}

// whenOver: the deadline has passed.
func (state *run) whenOver() Outcome {
	operation, refusals := state.outcome.Operation, state.outcome.Refusals
	isUnsent := operation == nil || operation.State == "REJECTED" || (operation.DeviceError != nil && operation.DeviceError.Code == "NOT_SENT")
	isBlind := false
	for _, each := range refusals {
		// The relay could not look up whether the key was used before.
		isBlind = isBlind || each.Code == "UNAVAILABLE" || each.Code == "DISK_FULL" || (each.Code == "BUSY" && len(each.Field) == 0)
	}
	if isUnsent && state.outcome.Requests > 0 && !state.isUncertain && !isBlind {
		why := wordsOf(refusals)
		if why == "" {
			why = "it was not sent"
		}
		return *state.end(NothingDone, why+": nothing was sent in time; the same request with the same key continues").end
	}
	seen := "no operation was seen"
	if operation != nil {
		seen = fmt.Sprintf("operation %s was %s", operation.ID, operation.State)
	}
	if len(refusals) > 0 {
		seen += ", and the last answer " + wordsOf(refusals)
	}
	return *state.end(Open, "not known at the deadline: "+seen+"; the same request with the same key continues").end
}

func (state *run) end(kind, person string) step {
	outcome := state.outcome
	outcome.Kind, outcome.Person = kind, person
	return step{end: &outcome}
}

func payloadOf(found json.RawMessage) (*Operation, []Refusal, *fault) {
	var payload struct {
		Operation  *Operation `json:"operation"`
		UserErrors []Refusal  `json:"userErrors"`
	}
	if found == nil {
		return nil, nil, nil
	}
	if err := json.Unmarshal(found, &payload); err != nil {
		return nil, nil, lost("the answer can't be read: %v", err)
	}
	return payload.Operation, payload.UserErrors, nil
}

// refusalOf makes an entry of userErrors from a refusal of the whole request.
func refusalOf(failed *fault) Refusal {
	refusal := Refusal{Code: failed.code, Message: failed.message, Retry: "NEW_KEY"}
	switch failed.code {
	case "UNAUTHENTICATED", "RATE_LIMITED":
		refusal.Retry = "SAME_KEY"
	case "FORBIDDEN":
		refusal.Retry = "NEVER"
	}
	if failed.retryAfter > 0 {
		ms := float64(failed.retryAfter) / float64(time.Millisecond)
		refusal.RetryAfterMs = &ms
	}
	return refusal
}

func waitOf(refusal Refusal) time.Duration {
	if refusal.RetryAfterMs == nil {
		return 0
	}
	return time.Duration(*refusal.RetryAfterMs * float64(time.Millisecond))
}

func wordsOf(refusals []Refusal) string {
	words := make([]string, len(refusals))
	for index, each := range refusals {
		words[index] = each.Code + ": " + each.Message
	}
	return strings.Join(words, "; ")
}
