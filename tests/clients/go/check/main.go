// Carries out the tasks of `tidegate check-client` with the client in Go: its argument is the address.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	tidegate "tidegate/client"
)

type task struct {
	Done       bool
	Task       string
	Do         string
	URL        string
	DeadlineMs int
	Hurry      struct{ FirstPauseMs, LongestPauseMs, SilentAfterMs int }
	Login      struct{ Token, Name, Password string }

	Mutation       string
	IdempotencyKey string
	Input          map[string]any

	ID        string
	TimeoutMs int

	SubjectID string
	Snapshot  struct {
		Query     string
		Variables map[string]any
	}
	Until string
	// Of a real installation, which does not know the ids of its events beforehand.
	UntilStatus     string
	ConsumerPauseMs int
}

type report struct {
	Task    string   `json:"task"`
	Outcome string   `json:"outcome,omitempty"`
	Saw     []string `json:"saw,omitempty"`
	GaveUp  string   `json:"gaveUp,omitempty"`
}

func main() {
	origin := os.Args[1]
	for {
		var given task
		ask(http.MethodGet, origin+"/next", nil, &given)
		if given.Done {
			return
		}
		ask(http.MethodPost, origin+"/report", carryOut(given), &struct{}{})
	}
}

func carryOut(given task) report {
	client, err := tidegate.New(tidegate.Options{
		URL: given.URL, Token: given.Login.Token, Name: given.Login.Name, Password: given.Login.Password,
		FirstPause: ms(given.Hurry.FirstPauseMs), LongestPause: ms(given.Hurry.LongestPauseMs),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), ms(given.DeadlineMs))
	defer cancel()
	done := report{Task: given.Task}
	switch given.Do {
	case "call":
		outcome, err := client.CarryOut(ctx, tidegate.Call{Mutation: given.Mutation, IdempotencyKey: given.IdempotencyKey, Input: given.Input})
		if err != nil {
			log.Fatal(err)
		}
		done.Outcome = outcome.Kind
	case "wait":
		waited, err := client.WaitFor(context.Background(), given.ID, ms(given.TimeoutMs))
		if err != nil {
			log.Fatal(err)
		}
		done.Outcome = tidegate.Open
		if waited.HasEnded {
			done.Outcome = waited.Work.State
		}
	case "follow":
		done.Saw, err = follow(ctx, client, given)
		var refused *tidegate.Refused
		if errors.As(err, &refused) {
			done.GaveUp = refused.Code
		}
	}
	return done
}

func follow(ctx context.Context, client *tidegate.Client, given task) ([]string, error) {
	stream := client.Follow(tidegate.FollowOptions{
		Filter:   tidegate.Filter{SubjectID: given.SubjectID},
		Snapshot: given.Snapshot.Query, Variables: given.Snapshot.Variables,
		SilentAfter: ms(given.Hurry.SilentAfterMs),
	})
	defer stream.Close()
	saw := []string{}
	events := 0
	for stream.Next(ctx) {
		item := stream.Item()
		if item.Change == nil {
			var data struct{ Backend struct{ Version int } }
			if err := json.Unmarshal(item.Data, &data); err != nil {
				return saw, err
			}
			saw = append(saw, fmt.Sprintf("snapshot %d", data.Backend.Version))
			continue
		}
		saw = append(saw, item.Change.ID)
		if item.Change.ID == given.Until || item.Change.To == given.UntilStatus {
			break
		}
		if events++; events == 1 && strings.HasPrefix(item.Change.ID, "event") {
			time.Sleep(ms(given.ConsumerPauseMs))
		}
	}
	return saw, stream.Err()
}

func ask(method, url string, body, into any) {
	text, err := json.Marshal(body)
	if err != nil {
		log.Fatal(err)
	}
	if body == nil {
		text = nil
	}
	request, err := http.NewRequest(method, url, bytes.NewReader(text))
	if err != nil {
		log.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		log.Fatal(err)
	}
}

func ms(count int) time.Duration {
	return time.Duration(count) * time.Millisecond
}
