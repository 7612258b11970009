package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/azure-tenant-grapher/atg/internal/view"
)

// errSilent says that a question met the end of the input.
var errSilent = errors.New("nobody answered: the input ended")

// ask puts a question and returns the answer without the spaces around it.
func (a *App) ask(ctx context.Context, question string) (string, error) {
	if err := view.Prompt(a.Err, question+": ", a.errStyle()); err != nil {
		return "", err
	}
	type reply struct {
		line string
		err  error
	}
	if a.answers == nil { // one for all questions: it may have read ahead
		a.answers = bufio.NewReader(a.In)
	}
	got := make(chan reply, 1)
	go func() { // ends with the process at the latest: a read of a terminal cannot be stopped
		line, err := a.answers.ReadString('\n')
		got <- reply{line, err}
	}()
	select {
	case r := <-got:
		line := strings.TrimSpace(r.line)
		if r.err != nil && line == "" {
			if errors.Is(r.err, io.EOF) {
				return "", errSilent
			}
			return "", r.err
		}
		return line, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// maxAsked is how often a question is put that is answered by nothing known.
const maxAsked = 3

// askUntil puts a question until parse takes the answer.
func askUntil[T any](ctx context.Context, a *App, question string, parse func(string) (T, error)) (T, error) {
	for i := 1; ; i++ {
		var none T
		answer, err := a.ask(ctx, question)
		if err != nil {
			return none, err
		}
		got, err := parse(answer)
		if err == nil || i == maxAsked {
			return got, err
		}
		if err := view.Warning(a.Err, err.Error(), a.errStyle()); err != nil {
			return none, err
		}
	}
}
