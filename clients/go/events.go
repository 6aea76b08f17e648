package tidegate

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"time"
)

const largestEventBytes = 8 << 20

// event of Server-Sent Events (WHATWG HTML, section 9.2), as GraphQL over SSE uses them: next or complete; empty for a comment.
type event struct {
	kind string
	data []byte
}

// connection is one event stream, read as fast as its events are taken.
type connection struct {
	cancel      context.CancelFunc
	bearer      string
	silentAfter time.Duration
	body        io.ReadCloser
	lines       *bufio.Reader
	// Events and comments so far.
	signs int
}

func (connection *connection) begin(body io.ReadCloser) {
	connection.body = body
	connection.lines = bufio.NewReaderSize(body, 64<<10)
}

// stopWith cancels the request when ctx ends, or after most, until the returned function is called.
func (connection *connection) stopWith(ctx context.Context, most time.Duration) func() {
	timer := time.AfterFunc(most, connection.cancel)
	done := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			connection.cancel()
		case <-done:
		}
	}()
	return func() {
		timer.Stop()
		close(done)
	}
}

// next event, after at most silentAfter of silence. What has no blank line behind it has not arrived as a whole.
func (connection *connection) next(ctx context.Context) (event, error) {
	defer connection.stopWith(ctx, connection.silentAfter)()
	var found event
	for {
		line, err := connection.line()
		if err != nil {
			return event{}, err
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if found.kind != "" {
				connection.signs++
				return found, nil
			}
			found = event{}
		case name == "" && found.kind == "":
			connection.signs++
			return event{}, nil
		case name == "event":
			found.kind = value
		case name == "data":
			if found.data != nil {
				found.data = append(found.data, '\n')
			}
			found.data = append(found.data, value...)
		}
	}
}

func (connection *connection) line() (string, error) {
	var line []byte
	for {
		part, err := connection.lines.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			return strings.TrimRight(string(line), "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
		if len(line) > largestEventBytes {
			return "", errors.New("an event is larger than allowed")
		}
	}
}

func (connection *connection) close() {
	connection.cancel()
	connection.body.Close()
}
