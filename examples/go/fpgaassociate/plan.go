package fpgaassociate

/*
#include "fpga_associate.h"

extern void fpgaassociateProgress(uintptr_t teller, size_t settled, size_t total);

// As for credentials: a handle is a number.
static void progress(void *teller, size_t settled, size_t total)
{
	fpgaassociateProgress((uintptr_t)teller, settled, total);
}

static int32_t set_progress(fpga_assoc_plan *plan, uintptr_t teller)
{
	return fpga_assoc_plan_set_progress(plan, progress, (void *)teller);
}
*/
import "C"

import (
	"context"
	"runtime"
	"runtime/cgo"
	"sync"
	"time"
)

// A Result says what became of a pair of a plan; its number is an fpga_assoc_result.
type Result int32

const (
	ResultOpen     Result = C.FPGA_ASSOC_RESULT_OPEN      // nothing was done for it
	ResultAsWanted Result = C.FPGA_ASSOC_RESULT_AS_WANTED // nothing was to be done for it
	ResultToChange Result = C.FPGA_ASSOC_RESULT_TO_CHANGE // it is not as wanted, as Compare found
	ResultChanged  Result = C.FPGA_ASSOC_RESULT_CHANGED   // it was not as wanted, and is now
	ResultFailed   Result = C.FPGA_ASSOC_RESULT_FAILED    // its error says why
)

// A PlannedPair is a pair of a plan: what is wanted of it, and what became of it in the last call.
type PlannedPair struct {
	FPGAID     string
	ECSID      string
	Associated bool
	Result     Result
	Err        error // an *Error where the pair failed, once the call has ended
}

// PlanSettings are those of a plan. What is zero or nil keeps the library's default.
type PlanSettings struct {
	Parallel uint32        // how many requests may be under way at once
	Timeout  time.Duration // for the whole plan, which has as long as it takes without it
	Progress Progress
}

// The longest time that a plan can have: there is no way back from another to none.
const longest = (1<<31 - 1) * time.Millisecond

// A Plan says of many pairs what is wanted, for Client.Compare and Client.Apply, which leave a result
// with each. It belongs to no client, and may be carried out again, pairs added in between. While it
// is carried out any goroutine can read what is known so far, without the errors, and what would
// change it is refused.
type Plan struct {
	// Held whenever C is asked about the plan, but while it is carried out.
	mutex   sync.Mutex
	pointer *C.fpga_assoc_plan
	pairs   []PlannedPair // without their results
	timeout time.Duration
	// C knows it by its handle; nil and 0 for none.
	teller   *teller
	handle   cgo.Handle
	underWay bool
	closed   bool
}

// NewPlan makes a plan without pairs. Settings may be nil.
func NewPlan(settings *PlanSettings) (*Plan, error) {
	if settings == nil {
		settings = &PlanSettings{}
	}
	plan := &Plan{pointer: C.fpga_assoc_plan_new(), timeout: longest}
	// For a plan that nobody closes.
	runtime.SetFinalizer(plan, (*Plan).Close)
	if err := plan.set(settings); err != nil {
		plan.Close()
		return nil, err
	}
	return plan, nil
}

// Close frees the plan; while it is carried out, that comes after the call.
func (p *Plan) Close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.closed = true
	p.free()
}

// Add adds a pair, which is to be associated or not. Where it fails nothing was added.
func (p *Plan) Add(fpgaID, ecsID string, associated bool) error {
	t, err := newTexts(&fpgaID, &ecsID)
	if err != nil {
		return err
	}
	defer t.free()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return closedPlan()
	}
	err = told(func() C.int32_t {
		return C.fpga_assoc_plan_add(p.pointer, t[0], t[1], C.bool(associated))
	})
	if err != nil {
		return err
	}
	p.pairs = append(p.pairs, PlannedPair{FPGAID: fpgaID, ECSID: ecsID, Associated: associated})
	return nil
}

// Len is how many pairs there are.
func (p *Plan) Len() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return len(p.pairs)
}

// Results are the pairs, in the order in which they were added; none of a plan that is closed.
func (p *Plan) Results() []PlannedPair {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return nil
	}
	results := make([]PlannedPair, len(p.pairs))
	for i, pair := range p.pairs {
		pair.Result = Result(C.fpga_assoc_plan_result(p.pointer, C.size_t(i)))
		// A call that begins frees the errors of the one before.
		if failure := C.fpga_assoc_plan_error(p.pointer, C.size_t(i)); failure != nil && !p.underWay {
			pair.Err = copied(failure)
		}
		results[i] = pair
	}
	return results
}

// Compare finds out which pairs of a plan are as wanted, and changes nothing. Where not every pair
// could be compared, that is an error, Incomplete.
//
// The plan goes on without a caller whose context is done, until the context's deadline, the plan's
// own, or Client.Close.
func (c *Client) Compare(ctx context.Context, token, projectID string, plan *Plan) error {
	return c.carryOut(ctx, false, token, projectID, plan,
		func(t texts, pointer *C.fpga_assoc_plan, failure **C.fpga_assoc_error) {
			C.fpga_assoc_client_compare(c.pointer, t[0], t[1], pointer, failure)
		})
}

// Apply brings the pairs of a plan to what is wanted. Where not every pair is, that is an error,
// Incomplete, and the plan has the results all the same.
//
// The plan goes on without a caller whose context is done, as for Compare, and so may send changes:
// Client.Close stops it.
func (c *Client) Apply(ctx context.Context, token, projectID string, plan *Plan) error {
	return c.carryOut(ctx, true, token, projectID, plan,
		func(t texts, pointer *C.fpga_assoc_plan, failure **C.fpga_assoc_error) {
			C.fpga_assoc_client_apply(c.pointer, t[0], t[1], pointer, failure)
		})
}

// An ending is what a plan's call left beside the error of C.
type ending struct {
	refusal  error
	panicked any
}

func (c *Client) carryOut(
	ctx context.Context, changes bool, token, projectID string, plan *Plan,
	function func(texts, *C.fpga_assoc_plan, **C.fpga_assoc_error),
) error {
	if plan == nil {
		return &Error{Status: InvalidArgument, Message: "plan: is nil"}
	}
	endings := make(chan ending, 1)
	err := c.call(ctx, changes, func(t texts, failure **C.fpga_assoc_error) {
		endings <- plan.carryOut(ctx, func() { function(t, plan.pointer, failure) })
	}, given(&token), &projectID)
	select {
	case end := <-endings:
		if end.panicked != nil {
			panic(end.panicked)
		}
		if err == nil {
			err = end.refusal
		}
	default: // Nobody has begun, or nobody waits.
	}
	return err
}

func (p *Plan) carryOut(ctx context.Context, call func()) ending {
	if err := p.begin(ctx); err != nil {
		return ending{refusal: err}
	}
	defer p.end()
	call()
	return ending{panicked: p.teller.taken()}
}

func (p *Plan) begin(ctx context.Context) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.closed {
		return closedPlan()
	}
	// C would refuse it as well, but for its time.
	if p.underWay {
		return &Error{Status: InvalidArgument, Message: "plan: is being carried out"}
	}
	err := told(func() C.int32_t {
		return C.fpga_assoc_plan_set_timeout_ms(p.pointer, milliseconds(p.timeLeft(ctx)))
	})
	if err != nil {
		return err
	}
	p.underWay = true
	return nil
}

func (p *Plan) end() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.underWay = false
	p.free()
}

// timeLeft is the plan's own time, or that of the context where it ends before.
func (p *Plan) timeLeft(ctx context.Context) time.Duration {
	left := p.timeout
	if deadline, isSet := ctx.Deadline(); isSet {
		if until := time.Until(deadline); until < left {
			left = until
		}
	}
	if left < time.Millisecond {
		return time.Millisecond
	}
	return left
}

func (p *Plan) set(settings *PlanSettings) error {
	if settings.Parallel != 0 {
		err := told(func() C.int32_t {
			return C.fpga_assoc_plan_set_parallel(p.pointer, C.uint32_t(settings.Parallel))
		})
		if err != nil {
			return err
		}
	}
	if settings.Timeout != 0 {
		err := told(func() C.int32_t {
			return C.fpga_assoc_plan_set_timeout_ms(p.pointer, milliseconds(settings.Timeout))
		})
		if err != nil {
			return err
		}
		p.timeout = settings.Timeout
	}
	if settings.Progress != nil {
		p.teller = &teller{progress: settings.Progress}
		p.handle = cgo.NewHandle(p.teller)
		return told(func() C.int32_t { return C.set_progress(p.pointer, C.uintptr_t(p.handle)) })
	}
	return nil
}

// free frees what is closed and not in use.
func (p *Plan) free() {
	if !p.closed || p.underWay || p.pointer == nil {
		return
	}
	runtime.SetFinalizer(p, nil)
	C.fpga_assoc_plan_free(p.pointer)
	p.pointer = nil
	p.pairs = nil
	release(p.handle)
	p.handle = 0
}

func closedPlan() *Error {
	return &Error{Status: InvalidArgument, Message: "the plan is closed"}
}

// told is what a function without an error pointer tells the thread, read on the same thread.
func told(function func() C.int32_t) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if status := function(); status != C.FPGA_ASSOC_OK {
		return &Error{Status: Status(status), Message: C.GoString(C.fpga_assoc_last_error())}
	}
	return nil
}
