package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"time"

	"example.com/fpga-associate/fpgaassociate"
)

// checkPlans begins with nothing associated, and ends so.
func checkPlans(otherFPGAID, otherECSID string) {
	client, withToken := open(endpoint, nil), open(endpoint, &fpgaassociate.Settings{Token: token})
	defer client.Close()
	defer withToken.Close()
	toldLast := ""
	plan := newPlan(&fpgaassociate.PlanSettings{
		Parallel: 4, Timeout: time.Minute,
		Progress: func(settled, total int) { toldLast = fmt.Sprint(settled, " of ", total) },
	})
	defer plan.Close()
	for _, ecsID := range []string{ecsID, otherECSID} {
		must(plan.Add(fpgaID, ecsID, true))
		must(plan.Add(otherFPGAID, ecsID, ecsID != otherECSID))
	}

	must(client.Compare(ctx, token, projectID, plan))
	fmt.Println("plan compared:", counts(plan))
	must(client.Apply(ctx, token, projectID, plan))
	fmt.Println("plan applied:", counts(plan))
	last := plan.Results()[3]
	if last != (fpgaassociate.PlannedPair{
		FPGAID: otherFPGAID, ECSID: otherECSID, Result: fpgaassociate.ResultAsWanted,
	}) {
		fmt.Println("not the last pair:", last)
	}
	must(withToken.Apply(ctx, "", projectID, plan))
	fmt.Println("plan applied again:", counts(plan))
	fmt.Println("progress of the plan:", toldLast)

	checkUndone(client, plan, otherECSID)
	contradiction := newPlan(nil)
	must(contradiction.Add(fpgaID, ecsID, true))
	must(contradiction.Add(fpgaID, ecsID, false))
	fmt.Println("contradiction:", failure(client.Apply(ctx, token, projectID, contradiction)).Status)
	checkWrongPlans(client, plan)
	checkPanic(client, plan)
	checkDone(plan)
}

// checkUndone takes away what a plan has brought, beside a pair that can't be brought about.
func checkUndone(client *fpgaassociate.Client, done *fpgaassociate.Plan, otherECSID string) {
	var undone *fpgaassociate.Plan
	var refusal *fpgaassociate.Error
	undone = newPlan(&fpgaassociate.PlanSettings{Progress: func(_, _ int) {
		refusal = failure(undone.Add(fpgaID, ecsID, false))
		for i, pair := range undone.Results() {
			if pair.Err != nil {
				fmt.Println("too early:", i, pair.Err)
			}
		}
	}})
	defer undone.Close()
	for _, pair := range done.Results() {
		must(undone.Add(pair.FPGAID, pair.ECSID, false))
	}
	must(undone.Add(strings.Repeat("0", 32), otherECSID, true))
	err := client.Apply(ctx, token, projectID, undone)
	fmt.Println("plan with an unknown image:", failure(err).Status)
	fmt.Println("then:", counts(undone))
	own := failure(undone.Results()[4].Err)
	fmt.Println("its own error:", own.Status, own.Code)
	if failure(err).Status != fpgaassociate.Incomplete ||
		!strings.Contains(refusal.Message, "being carried out") || undone.Len() != 5 {
		fmt.Println("another refusal:", refusal, undone.Len())
	}
}

func checkWrongPlans(client *fpgaassociate.Client, plan *fpgaassociate.Plan) {
	accepted := ""
	for number, settings := range []fpgaassociate.PlanSettings{
		{Parallel: 101},
		{Parallel: 1<<32 - 1},
		{Timeout: -1},
		{Timeout: -time.Second},
		{Timeout: (1 << 31) * time.Millisecond},
		{Timeout: (1<<32 + 5) * time.Millisecond},
	} {
		if _, err := fpgaassociate.NewPlan(&settings); err == nil {
			accepted += fmt.Sprintf("number %d is accepted ", number)
		}
	}
	for _, text := range []string{"", ecsID + "\x00", "\xff"} {
		errOfFPGA, errOfECS := plan.Add(text, ecsID, true), plan.Add(fpgaID, text, true)
		errOfProject := client.Compare(ctx, token, text, plan)
		if errOfFPGA == nil || errOfECS == nil || errOfProject == nil {
			accepted += fmt.Sprintf("%q is accepted ", text)
		}
	}
	closed := newPlan(nil)
	closed.Close()
	closed.Close()
	for _, plan := range []*fpgaassociate.Plan{closed, {}, nil} {
		if client.Apply(ctx, token, projectID, plan) == nil {
			accepted += "no plan is accepted "
		}
	}
	if closed.Add(fpgaID, ecsID, true) == nil || closed.Results() != nil || plan.Len() != 4 {
		accepted += "a closed plan is accepted "
	}
	fmt.Println("wrong plans:", refusedUnless(accepted))
}

// checkPanic has a panic of the progress come out of the call, which does all that it has to, and
// runtime.Goexit end nothing but one telling.
func checkPanic(client *fpgaassociate.Client, plan *fpgaassociate.Plan) {
	compare := func(end func()) (panicked any, results []fpgaassociate.PlannedPair) {
		var ending *fpgaassociate.Plan
		ending = newPlan(&fpgaassociate.PlanSettings{Progress: func(_, _ int) {
			results = ending.Results()
			ending.Close() // Which comes after the call.
			end()
		}})
		for _, pair := range plan.Results() {
			must(ending.Add(pair.FPGAID, pair.ECSID, false))
		}
		defer func() { panicked = recover() }()
		must(client.Compare(ctx, token, projectID, ending))
		return
	}
	panicked, results := compare(func() { panic("no room on the screen") })
	if panicked != "no room on the screen" || len(results) != 4 {
		fmt.Println("another panic:", panicked, results)
	}
	panicked, results = compare(runtime.Goexit)
	if panicked != nil || len(results) != 4 {
		fmt.Println("a panic:", panicked, results)
	}
}

// checkDone has contexts end plans: one before it begins, and one with its deadline, which stops it.
func checkDone(plan *fpgaassociate.Plan) {
	host, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer host.Close()
	client := open("http://"+host.Addr().String(), &fpgaassociate.Settings{Timeout: time.Hour})
	defer client.Close()
	done, cancel := context.WithCancel(ctx)
	cancel()
	err = client.Apply(done, token, projectID, plan)
	if !errors.Is(err, context.Canceled) || failure(err).OutcomeUnknown {
		fmt.Println("not cancelled:", err)
	}
	soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	err = client.Apply(soon, token, projectID, plan)
	if failure(err).Status != fpgaassociate.Timeout && failure(err).Status != fpgaassociate.Incomplete {
		fmt.Println("not in time:", err)
	}
	began := time.Now()
	for plan.Add(fpgaID, ecsID, true) != nil {
		if time.Since(began) > time.Minute {
			panic("the plan goes on")
		}
		time.Sleep(time.Millisecond)
	}
}

func newPlan(settings *fpgaassociate.PlanSettings) *fpgaassociate.Plan {
	plan, err := fpgaassociate.NewPlan(settings)
	must(err)
	return plan
}

func counts(plan *fpgaassociate.Plan) string {
	count := map[fpgaassociate.Result]int{}
	for _, pair := range plan.Results() {
		count[pair.Result]++
	}
	return fmt.Sprintf("open %d, as wanted %d, to change %d, changed %d, failed %d",
		count[fpgaassociate.ResultOpen], count[fpgaassociate.ResultAsWanted],
		count[fpgaassociate.ResultToChange], count[fpgaassociate.ResultChanged],
		count[fpgaassociate.ResultFailed])
}
