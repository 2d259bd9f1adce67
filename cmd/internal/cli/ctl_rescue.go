package cli

import (
	"context"
	"errors"
	"strings"

	"strata/cmd/internal/ui"
	"strata/live"
	"strata/live/change/rescue"
)

// rescue stops everything where the ordinary way to do that ended with cause. If all
// was stopped the exit code is still that of the cause.
func (j changeJob) rescue(ctx context.Context, cause error) error {
	d, err := j.openDamaged()
	if errors.Is(err, live.ErrNoLive) {
		return cause
	}
	if err != nil {
		return withCode(liveCode(err), err)
	}
	sup := j.supervisor(d)
	defer sup.Close()
	session, err := rescue.Open(ctx, d, sup, j.block)
	if err != nil {
		return withCode(liveCode(err), err)
	}
	defer session.Close()
	gaps := append([]string{"stopping everything by the stop order"}, session.Gaps...)
	j.s.Errorf("%s: %s", ui.ErrorText(cause), ui.Escape(strings.Join(gaps, "; ")))
	result, err := session.Stop(ctx, j.req.Essentials, j.run)
	j.tell.ended(result, err)
	if err != nil {
		return withCode(exitFailed, err)
	}
	if result.Journal != nil {
		j.s.Warnf("%s", ui.ErrorText(result.Journal))
	}
	if !result.OK() {
		return resultError(result)
	}
	return silent(codeOf(cause))
}

// openDamaged opens a live directory as far as that is possible.
func (j changeJob) openDamaged() (*live.Dir, error) {
	d, err := live.Open(j.live)
	if err != nil {
		if d, err = live.OpenDamaged(j.live); err != nil {
			return nil, err
		}
	}
	return d, lenient(j.s, d.Trust())
}
