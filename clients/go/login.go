package tidegate

import (
	"context"
	"encoding/json"
	"time"
)

const (
	loginFields     = "{ accessToken accessTokenExpiresAt refreshToken userErrors { code message } }"
	loginDocument   = "mutation ($input: LoginInput!) { root: login(input: $input) " + loginFields + " }"
	refreshDocument = "mutation ($input: SessionRefreshInput!) { root: sessionRefresh(input: $input) " + loginFields + " }"
	// A token that ends sooner is exchanged first.
	early = 30 * time.Second
)

// login is an API token, or a name and a password with which sessions are begun.
type login struct {
	fixed, name, password string
	access, refresh       string
	goodUntil             time.Time
}

// token returns the access token; another one than the refused.
func (client *Client) token(ctx context.Context, refused string) (string, *fault) {
	// A refresh token is good once.
	client.loginLock.Lock()
	defer client.loginLock.Unlock()
	login := &client.login
	if login.fixed != "" {
		return login.fixed, nil
	}
	if login.access != "" && login.access != refused && time.Now().Before(login.goodUntil) {
		return login.access, nil
	}
	if refresh := login.refresh; refresh != "" {
		login.refresh = ""
		isGood, failed := client.exchange(ctx, refreshDocument, variables{"refreshToken": refresh})
		if isGood || failed != nil {
			return login.access, failed
		}
	}
	isGood, failed := client.exchange(ctx, loginDocument, variables{"name": login.name, "password": login.password})
	if failed == nil && !isGood {
		failed = &fault{isRefusal: true, code: "UNAUTHENTICATED", message: "the name or the password is wrong"}
	}
	return login.access, failed
}

// exchange returns false if the credentials are wrong.
func (client *Client) exchange(ctx context.Context, document string, given variables) (bool, *fault) {
	login := &client.login
	login.access = ""
	ctx, cancel := within(ctx, answerWithin)
	defer cancel()
	answer, failed := client.post(ctx, document, variables{"input": given}, "")
	if failed != nil {
		// Only a login can say that the credentials are wrong.
		failed.isRefusal = false
		return false, failed
	}
	var payload struct {
		AccessToken          string    `json:"accessToken"`
		AccessTokenExpiresAt time.Time `json:"accessTokenExpiresAt"`
		RefreshToken         string    `json:"refreshToken"`
		UserErrors           []Refusal `json:"userErrors"`
	}
	if err := json.Unmarshal(answer.Data["root"], &payload); err != nil {
		return false, lost("the login can't be read: %v", err)
	}
	if len(payload.UserErrors) > 0 {
		first := payload.UserErrors[0]
		if first.Code == "BAD_CREDENTIALS" {
			return false, nil
		}
		return false, lost("%s: %s", first.Code, first.Message)
	}
	login.access, login.refresh = payload.AccessToken, payload.RefreshToken
	lives := time.Until(payload.AccessTokenExpiresAt)
	margin := lives / 2
	if margin > early {
		margin = early
	}
	login.goodUntil = time.Now().Add(lives - margin)
	return true, nil
}
