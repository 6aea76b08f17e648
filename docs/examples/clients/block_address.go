// Blocks an address for a tenant at a firewall, and follows the call to its end, through lost answers and restarts.
// usage: go run block_address.go URL TOKEN_FILE TENANT ADDRESS         Go 1.19 or later, without packages
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	block = `mutation ($input: FirewallAddressSetElementAddInput!) { firewallAddressSetElementAdd(input: $input) {
  operation { id state } userErrors { code message retry retryAfterMs } } }`
	show   = `query ($id: ID!) { relayOperation(id: $id) { id state deviceError { code message } } }`
	follow = `subscription ($tenant: CmpObjectInput!, $after: String) { statusChanges(cmpObject: $tenant, after: $after) {
  cursor change { kind subjectId from to reason } } }`
	// The request may or may not have been carried out: the same key tells (docs/errors.md).
	again = "NO_ANSWER RATE_LIMITED BUSY UNAVAILABLE SUBGRAPH_UNAVAILABLE DISK_FULL INTERNAL " +
		"OUTCOME_UNCERTAIN OUTCOME_NOT_RECORDED OUTCOME_NOT_READ"
	final = "SUCCEEDED FAILED REJECTED UNKNOWN"
)

type fault struct {
	Message    string
	Extensions struct {
		Code         string
		RetryAfterMs int
		Cursor       string
	}
}
type operation struct{ ID, State string }
type change struct{ Kind, SubjectID, From, To string }
type answer struct {
	Data struct {
		StatusCursor                 string
		RelayOperation               operation
		FirewallAddressSetElementAdd struct {
			Operation  operation
			UserErrors []struct {
				Code, Message, Retry string
				RetryAfterMs         int
			}
		}
		StatusChanges struct {
			Cursor string
			Change *change
		}
	}
	Errors []fault
}
type object map[string]any

var url, token, tenant, address string

func is(list, word string) bool { return strings.Contains(" "+list+" ", " "+word+" ") }

func post(client http.Client, query string, variables object, accept string) (*http.Response, error) {
	body, _ := json.Marshal(object{"query": query, "variables": variables})
	request, err := http.NewRequest("POST", url, bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("authorization", "Bearer "+token)
	request.Header.Set("content-type", "application/json")
	request.Header.Set("accept", accept)
	return client.Do(request)
}

// The answer. Sends the same request again until there is one.
func ask(query string, variables object) answer {
	end, pause := time.Now().Add(2*time.Minute), 500*time.Millisecond
	for {
		var got answer
		response, err := post(http.Client{Timeout: time.Minute}, query, variables, "application/json")
		retryAfter := 0
		if err == nil {
			if strings.Contains(response.Header.Get("content-type"), "json") {
				err = json.NewDecoder(response.Body).Decode(&got)
			} else {
				err = errors.New("HTTP " + response.Status)
				// A date is left out.
				retryAfter, _ = strconv.Atoi(response.Header.Get("retry-after"))
			}
			response.Body.Close()
		} else if cause := errors.Unwrap(err); cause != nil {
			err = cause
		}
		if err == nil && len(got.Errors) == 0 {
			return got
		}
		code, message, wait := "NO_ANSWER", fmt.Sprint(err), pause
		if retryAfter > 0 {
			wait = time.Duration(retryAfter) * time.Second
		}
		if err == nil {
			code, message = got.Errors[0].Extensions.Code, got.Errors[0].Message
			if ms := got.Errors[0].Extensions.RetryAfterMs; ms > 0 {
				wait = time.Duration(ms) * time.Millisecond
			}
		}
		if !is(again, code) || time.Now().After(end) {
			log.Fatal(code, ": ", message)
		}
		if code == "NO_ANSWER" {
			fmt.Fprintf(os.Stderr, "no answer from %s (%s); again in %s\n", url, message, wait)
		}
		time.Sleep(wait)
		if pause < 10*time.Second {
			pause *= 2
		}
	}
}

// The key is made from the task, so that this program may die and start again at any moment.
func blocked() operation {
	input := object{"idempotencyKey": "block-" + tenant + "-" + address, "backend": object{"name": "lab-firewall"},
		"cmpObject": object{"type": "tenant", "externalId": tenant}, "set": "blocked", "address": address, "waitMs": 0}
	for {
		payload := ask(block, object{"input": input}).Data.FirewallAddressSetElementAdd
		if len(payload.UserErrors) == 0 {
			return payload.Operation
		}
		refusal := payload.UserErrors[0]
		if refusal.Retry != "SAME_KEY" {
			log.Fatal(refusal.Code, ": ", refusal.Message)
		}
		time.Sleep(time.Duration(refusal.RetryAfterMs+100) * time.Millisecond)
	}
}

// Gives the tenant's status changes until it returns false. Nil: some may be missing, so read again what you show.
func changes(cursor string, take func(*change) bool) {
	for ; ; time.Sleep(time.Second) {
		variables := object{"tenant": object{"type": "tenant", "externalId": tenant}, "after": cursor}
		response, err := post(http.Client{}, follow, variables, "text/event-stream")
		if err != nil {
			continue
		}
		if is("400 401 403", fmt.Sprint(response.StatusCode)) {
			log.Fatal(response.Status)
		}
		// The server sends a comment every 30 seconds: a stream that is silent for longer is dead.
		silence := time.AfterFunc(time.Minute, func() { response.Body.Close() })
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			silence.Reset(time.Minute)
			var item answer
			text := lines.Text()
			if !strings.HasPrefix(text, "data: {") || json.Unmarshal([]byte(text[len("data: "):]), &item) != nil {
				continue
			}
			if len(item.Errors) > 0 {
				// One event can't be read, and the stream goes on.
				if after := item.Errors[0].Extensions.Cursor; after != "" {
					cursor = after
					if !take(nil) {
						response.Body.Close()
						return
					}
					continue
				}
				if is("CURSOR_EXPIRED RESYNC_REQUIRED INVALID_CURSOR", item.Errors[0].Extensions.Code) {
					cursor = ask("{ statusCursor }", nil).Data.StatusCursor
					if !take(nil) {
						return
					}
				}
				break
			}
			cursor = item.Data.StatusChanges.Cursor
			if item.Data.StatusChanges.Change != nil && !take(item.Data.StatusChanges.Change) {
				response.Body.Close()
				return
			}
		}
		silence.Stop()
		response.Body.Close()
	}
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: block_address URL TOKEN_FILE TENANT ADDRESS")
	}
	bytes, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	url, token, tenant, address = os.Args[1], strings.TrimSpace(string(bytes)), os.Args[3], os.Args[4]
	cursor := ask("{ statusCursor }", nil).Data.StatusCursor
	task := blocked()
	if !is(final, task.State) {
		changes(cursor, func(one *change) bool {
			if one != nil && one.Kind == "relayOperation.state" {
				fmt.Println(one.To)
			}
			if one == nil || one.SubjectID == task.ID {
				task = ask(show, object{"id": task.ID}).Data.RelayOperation
			}
			return !is(final, task.State)
		})
	}
	fmt.Println(task.ID, task.State)
}
