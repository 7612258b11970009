package view

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// AuthStatusSchema is the version of AuthStatus's JSON form.
const AuthStatusSchema = 1

// AuthStatus is how both sides sign in.
type AuthStatus struct {
	Schema          int            `json:"schema"`
	Cloud           string         `json:"cloud"`           // "public"
	Authority       string         `json:"authority"`       // where it is signed in
	ResourceManager string         `json:"resourceManager"` // whom the tokens were fetched for
	Checked         bool           `json:"checked"`         // the subscriptions were asked for
	Sides           []SignInStatus `json:"sides"`           // the source, then the target
}

// SignInStatus is how one side signs in. It holds no token.
type SignInStatus struct {
	Side          string         `json:"side"` // "source" or "target"
	SignedIn      bool           `json:"signedIn"`
	Link          string         `json:"link,omitempty"` // of the chain, that won
	TenantID      string         `json:"tenantId,omitempty"`
	Principal     string         `json:"principal,omitempty"` // user name, else application name, else application ID
	AppID         string         `json:"appId,omitempty"`     // of the application: the principal itself, or what a user signed in through
	ObjectID      string         `json:"objectId,omitempty"`
	Expires       *time.Time     `json:"expires,omitempty"`       // when the token ends; a run fetches new ones as needed
	Attempts      []SignInLink   `json:"attempts"`                // the links of the chain in their order, up to the one that won
	Subscriptions []Subscription `json:"subscriptions,omitempty"` // that the principal sees, if that was asked for
	Error         *failure       `json:"error,omitempty"`         // why nobody is signed in, or why nothing is seen
}

// SignInLink is one link of the chain and what came of it.
type SignInLink struct {
	Link   string `json:"link"`   // "ATG_SOURCE_*", "Azure CLI"
	Result string `json:"result"` // "won", "failed", or "not tried": nobody has set it up or allowed it
	Said   string `json:"said"`
}

// Subscription is a subscription that a principal sees.
type Subscription struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	State    string `json:"state"`    // "Enabled"
	TenantID string `json:"tenantId"` // where it is at home
}

// The results of a link.
const (
	LinkWon      = "won"
	LinkFailed   = "failed"
	LinkNotTried = "not tried"
)

// Fail notes why the side is not signed in, or sees nothing.
func (s *SignInStatus) Fail(err error) { s.Error = failureOf(err) }

// Write writes how both sides sign in: who, by which link, and what the links before it
// said.
func (a AuthStatus) Write(w io.Writer, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s cloud: sign-in at %s, Resource Manager at %s\n", printable(a.Cloud), printable(a.Authority), printable(a.ResourceManager))
	for _, s := range a.Sides {
		b.WriteByte('\n')
		s.write(&b, st)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s SignInStatus) write(b *strings.Builder, st Style) {
	head := st.paint(red, "not signed in")
	if s.SignedIn {
		head = st.paint(green, "signed in") + " as " + st.paint(bold, printable(orWord(s.Principal, "somebody whom the token does not name"))) + " by " + printable(s.Link)
	}
	fmt.Fprintf(b, "%s %s\n", s.Side, head)
	s.row(b, "tenant", s.TenantID, st)
	s.row(b, "application", s.AppID, st)
	s.row(b, "object ID", s.ObjectID, st)
	if s.Expires != nil {
		s.row(b, "token until", s.Expires.UTC().Format("2006-01-02 15:04 UTC"), st)
	}
	for _, sub := range s.Subscriptions {
		s.row(b, "sees", fmt.Sprintf("subscription %s (%s), %s", sub.Name, sub.ID, strings.ToLower(sub.State)), st)
	}
	for _, l := range s.Attempts {
		if l.Result != LinkWon {
			s.row(b, l.Result, l.Link+": "+l.Said, st)
		}
	}
	if s.Error == nil {
		return
	}
	if s.SignedIn || len(s.Attempts) == 0 {
		s.row(b, "error", s.Error.Message, st)
	}
	s.row(b, "hint", s.Error.Hint, st)
}

// row writes a line with a name before it; nothing if there is nothing to say.
func (SignInStatus) row(b *strings.Builder, name, text string, st Style) {
	const lead = 15
	if text != "" {
		fmt.Fprintf(b, "  %-*s%s\n", lead-2, name, wrap(printable(text), lead, st.Width))
	}
}
