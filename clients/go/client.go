// Package tidegate is a client of Tidegate that follows its retry rules: calls that reach the device at most once, waits, and streams that
// resume. It needs the standard library only. README.md has an example.
package tidegate

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Options of a client. Give Token, an API token, or Name and Password.
type Options struct {
	// For example https://tidegate.example/graphql.
	URL      string
	Token    string
	Name     string
	Password string
	// The first pause between requests if the server names none, and the longest. Default 250 ms and 10 s.
	FirstPause, LongestPause time.Duration
	// A client of your own, for example with your certificates. Redirects are not followed: the token would get there. No timeout of it
	// may be shorter than a stream.
	HTTP *http.Client
}

// Client may be used by several goroutines.
type Client struct {
	url          string
	http         *http.Client
	firstPause   time.Duration
	longestPause time.Duration
	login        login
	loginLock    sync.Mutex
}

// New checks the options and connects to nothing.
func New(options Options) (*Client, error) {
	if options.URL == "" {
		return nil, errors.New("tidegate: an URL is needed")
	}
	hasName := options.Name != "" && options.Password != ""
	if (options.Token != "") == hasName {
		return nil, errors.New("tidegate: give either a token, or a name and a password")
	}
	given := options.HTTP
	if given == nil {
		given = &http.Client{}
	}
	own := *given
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client := &Client{url: options.URL, http: &own, firstPause: options.FirstPause, longestPause: options.LongestPause}
	client.login = login{fixed: options.Token, name: options.Name, password: options.Password}
	if client.firstPause <= 0 {
		client.firstPause = 250 * time.Millisecond
	}
	if client.longestPause <= 0 {
		client.longestPause = 10 * time.Second
	}
	return client, nil
}

// Refused says that a request is refused, and that trying again does not help.
type Refused struct {
	Code    string
	Message string
	// Of a stream: to go on after it later.
	Cursor string
}

func (refused *Refused) Error() string {
	return fmt.Sprintf("%s: %s", refused.Code, refused.Message)
}
