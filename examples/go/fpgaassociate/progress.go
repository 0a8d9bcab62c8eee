package fpgaassociate

/*
#include "fpga_associate.h"
*/
import "C"

import "runtime/cgo"

// Progress is told that so many of a plan's pairs have their result, one call after the other, at most
// five times a second and at the end. It may read the plan, but must not close the client, which waits
// for the plan.
//
// A panic is one of the call that carries the plan out, when the plan has come to its end, and lost
// where nobody waits for that call any more. Until then Progress is not called again.
type Progress func(settled, total int)

// A teller is what C knows of a Progress.
type teller struct {
	progress Progress
	panicked any
}

//export fpgaassociateProgress
func fpgaassociateProgress(handle C.uintptr_t, settled, total C.size_t) {
	teller := cgo.Handle(handle).Value().(*teller)
	if teller.panicked == nil {
		teller.panicked = alone(func() { teller.progress(int(settled), int(total)) })
	}
}

// taken is what Progress panicked with; nil for nothing.
func (t *teller) taken() any {
	if t == nil {
		return nil
	}
	panicked := t.panicked
	t.panicked = nil
	return panicked
}

// alone runs a function of the host in a goroutine of its own: neither a panic, which it returns, nor
// runtime.Goexit, which testing's FailNow is, may leave it through C.
func alone(function func()) (panicked any) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		function()
	}()
	<-done
	return panicked
}
