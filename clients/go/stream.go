package tidegate

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Filter has the arguments of statusChanges, without after.
type Filter struct {
	ProjectID    string
	Kinds        []string
	SubjectID    string
	SubjectTypes []string
	CmpObject    *CmpObject
}

// CmpObject names an object of your CMP. Namespace: default "default".
type CmpObject struct {
	Namespace  string `json:"namespace,omitempty"`
	Type       string `json:"type"`
	ExternalID string `json:"externalId"`
}

// FollowOptions say what to follow.
type FollowOptions struct {
	Filter Filter
	// A query for what the stream keeps up to date.
	Snapshot  string
	Variables map[string]any
	// The cursor of the last item that you dealt with: the stream goes on after it, without a snapshot at its beginning.
	After string
	// The server sends a sign of life every 30 s; without one for so long the client connects again. Default 75 s.
	SilentAfter time.Duration
}

// StatusChange says that one subject went from one status to another.
type StatusChange struct {
	ID          string    `json:"id"`
	ChangedAt   time.Time `json:"changedAt"`
	Kind        string    `json:"kind"`
	SubjectType string    `json:"subjectType"`
	SubjectID   string    `json:"subjectId"`
	// A snapshot that shows the subject with this version, or a higher one, has the change already.
	SubjectVersion int     `json:"subjectVersion"`
	From           *string `json:"from"`
	To             string  `json:"to"`
	Reason         *string `json:"reason"`
	RequestID      *string `json:"requestId"`
}

// Item of a stream: a snapshot, or a change.
type Item struct {
	// Nil: the item is a snapshot, and what was known before is no longer good.
	Change *StatusChange
	// Of a snapshot: the data of its query, nil without one.
	Data json.RawMessage
	// Of a snapshot: START, or the code of the error behind which changes may be missing.
	Reason string
	// To go on after this item later.
	Cursor string
}

const (
	streamDocument = `subscription (
  $projectId: ID, $kinds: [String!], $subjectId: ID, $subjectTypes: [String!], $cmpObject: CmpObjectInput, $after: String
) {
  statusChanges(
    projectId: $projectId, kinds: $kinds, subjectId: $subjectId, subjectTypes: $subjectTypes, cmpObject: $cmpObject, after: $after
  ) {
    cursor
    change { id changedAt kind subjectType subjectId subjectVersion from to reason requestId }
  }
}`
	cursorDocument     = "{ statusCursor }"
	defaultSilentAfter = 75 * time.Second
	openWithin         = 60 * time.Second
	// Of changes already passed on, to know one that comes again.
	rememberedIDs = 1000
)

// After these the client reads a snapshot. FORBIDDEN: the rights have changed, or there never were any.
var snapshotCodes = map[string]bool{"CURSOR_EXPIRED": true, "RESYNC_REQUIRED": true, "INVALID_CURSOR": true, "FORBIDDEN": true}

// Stream of the status changes of the graph: a snapshot, then each change after it once, through lost connections, restarts of the server and
// ends of tokens. Where changes may be missing, another snapshot stands in the stream, with the reason. One goroutine may use it.
type Stream struct {
	client  *Client
	options FollowOptions
	pauses  *backoff
	cursor  string
	item    Item
	err     error
	// Why the next item is a snapshot; empty: it is not.
	snapshot    string
	isForbidden bool
	recent      map[string]bool
	recentIDs   []string
	// The token that was refused last.
	refused    string
	connection *connection
}

// Follow connects to nothing before the first Next.
func (client *Client) Follow(options FollowOptions) *Stream {
	if options.SilentAfter <= 0 {
		options.SilentAfter = defaultSilentAfter
	}
	stream := &Stream{client: client, options: options, cursor: options.After, recent: map[string]bool{}}
	stream.pauses = client.newBackoff(client.longestPause)
	if options.After == "" {
		stream.snapshot = "START"
	}
	return stream
}

// Next waits for the next item. False: ctx has ended, or Err says why there is none.
func (stream *Stream) Next(ctx context.Context) bool {
	for stream.err == nil && ctx.Err() == nil {
		if stream.snapshot != "" {
			if stream.readSnapshot(ctx) {
				return true
			}
			continue
		}
		if stream.connection == nil {
			stream.open(ctx)
			continue
		}
		event, err := stream.connection.next(ctx)
		if err != nil || event.kind == "complete" {
			stream.again(ctx, 0)
			continue
		}
		if event.kind == "next" && stream.take(ctx, event.data) {
			return true
		}
	}
	return false
}

// Item that Next found.
func (stream *Stream) Item() Item {
	return stream.item
}

// Err is a *Refused if the subscription or its snapshot is refused, and trying again does not help; else nil.
func (stream *Stream) Err() error {
	return stream.err
}

// Close ends the connection.
func (stream *Stream) Close() {
	if stream.connection != nil {
		stream.connection.close()
		stream.connection = nil
	}
}

func (stream *Stream) open(ctx context.Context) {
	bearer, failed := stream.client.token(ctx, stream.refused)
	if failed != nil {
		stream.end(ctx, failed, nil)
		return
	}
	given := filterVariables(stream.options.Filter)
	given["after"] = stream.cursor // There is one: a snapshot has read it, or the caller gave it.
	// The context of the request lives as long as the stream; Next stops it when its own ends.
	lifetime, cancel := context.WithCancel(context.Background())
	opened := &connection{cancel: cancel, bearer: bearer, silentAfter: stream.options.SilentAfter}
	defer opened.stopWith(ctx, openWithin)()
	response, failed := stream.client.send(lifetime, streamDocument, given, bearer, "text/event-stream")
	if failed != nil {
		cancel()
		stream.end(ctx, failed, nil)
		return
	}
	isStream := response.StatusCode == http.StatusOK && strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
	if isStream {
		stream.refused = ""
		opened.begin(response.Body)
		stream.connection = opened
		return
	}
	_, failed = readAnswer(lifetime, response)
	response.Body.Close()
	cancel()
	if failed == nil {
		failed = lost("HTTP %d without a stream", response.StatusCode)
	}
	if failed.code == "UNAUTHENTICATED" && stream.refused == "" {
		// The next token may be accepted.
		stream.refused = bearer
		return
	}
	stream.end(ctx, failed, nil)
}

// take reads a message of the stream. True: it is an item for the caller.
func (stream *Stream) take(ctx context.Context, text []byte) bool {
	var answer graphAnswer
	if err := json.Unmarshal(text, &answer); err != nil {
		stream.again(ctx, 0)
		return false
	}
	var item *struct {
		Cursor string        `json:"cursor"`
		Change *StatusChange `json:"change"`
	}
	if found := answer.Data["statusChanges"]; found != nil {
		if err := json.Unmarshal(found, &item); err != nil {
			stream.again(ctx, 0)
			return false
		}
	}
	if item == nil {
		if len(answer.Errors) > 0 && answer.Errors[0].Extensions.Cursor != "" {
			// An event that can't be read: the stream goes on after it.
			stream.cursor = answer.Errors[0].Extensions.Cursor
			stream.snapshot = "EVENT_LOST"
			return false
		}
		stream.end(ctx, faultOf(&answer, 0), stream.connection)
		return false
	}
	stream.cursor = item.Cursor
	stream.pauses.restart()
	stream.isForbidden = false
	if item.Change == nil || !stream.isNew(item.Change.ID) {
		return false
	}
	stream.item = Item{Change: item.Change, Cursor: item.Cursor}
	return true
}

// end of a connection, or of an attempt at one. ended: the stream that had begun, or nil.
func (stream *Stream) end(ctx context.Context, failed *fault, ended *connection) {
	switch {
	case snapshotCodes[failed.code]:
		// The comment at the beginning and the error itself are no life.
		hasLived := ended != nil && ended.signs > 2
		if failed.code == "FORBIDDEN" && stream.isForbidden && !hasLived {
			stream.fail(failed)
			return
		}
		stream.isForbidden = failed.code == "FORBIDDEN"
		stream.snapshot, stream.cursor = failed.code, ""
		stream.again(ctx, 0)
	case !failed.isFinal():
		stream.again(ctx, failed.retryAfter)
	case failed.code == "UNAUTHENTICATED" && ended != nil:
		// The stream has ended with its token.
		stream.refused = ended.bearer
		stream.again(ctx, 0)
	default:
		stream.fail(failed)
	}
}

func (stream *Stream) fail(failed *fault) {
	stream.Close()
	stream.err = &Refused{Code: failed.code, Message: failed.message, Cursor: stream.cursor}
}

func (stream *Stream) again(ctx context.Context, after time.Duration) {
	stream.Close()
	stream.pauses.pause(ctx, after)
}

// readSnapshot reads the cursor, unless there is one, and then the snapshot. False: not yet.
func (stream *Stream) readSnapshot(ctx context.Context) bool {
	if stream.cursor == "" {
		data, isRead := stream.read(ctx, cursorDocument, nil)
		if !isRead || json.Unmarshal(data["statusCursor"], &stream.cursor) != nil {
			return false
		}
	}
	item := Item{Reason: stream.snapshot, Cursor: stream.cursor}
	if stream.options.Snapshot != "" {
		data, isRead := stream.read(ctx, stream.options.Snapshot, stream.options.Variables)
		if !isRead {
			return false
		}
		item.Data, _ = json.Marshal(data)
	}
	stream.item, stream.snapshot = item, ""
	return true
}

// read: a partial answer is none, for the snapshot would lack what the lost part has.
func (stream *Stream) read(ctx context.Context, document string, given variables) (map[string]json.RawMessage, bool) {
	ctx, cancel := within(ctx, openWithin)
	defer cancel()
	data, failed := stream.client.askAll(ctx, document, given)
	if failed == nil {
		return data, true
	}
	if failed.isFinal() {
		stream.fail(failed)
	} else {
		stream.pauses.pause(ctx, failed.retryAfter)
	}
	return nil, false
}

func (stream *Stream) isNew(id string) bool {
	if stream.recent[id] {
		return false
	}
	stream.recent[id] = true
	stream.recentIDs = append(stream.recentIDs, id)
	if len(stream.recentIDs) > rememberedIDs {
		delete(stream.recent, stream.recentIDs[0])
		stream.recentIDs = stream.recentIDs[1:]
	}
	return true
}

func filterVariables(filter Filter) variables {
	given := variables{}
	if filter.ProjectID != "" {
		given["projectId"] = filter.ProjectID
	}
	if filter.Kinds != nil {
		given["kinds"] = filter.Kinds
	}
	if filter.SubjectID != "" {
		given["subjectId"] = filter.SubjectID
	}
	if filter.SubjectTypes != nil {
		given["subjectTypes"] = filter.SubjectTypes
	}
	if filter.CmpObject != nil {
		given["cmpObject"] = filter.CmpObject
	}
	return given
}
