// Takes the wrapper to its edges and prints what it meets; the test compares.
//
//	checks ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
//	    HOST_THAT_THROTTLES OTHER_FPGA_IMAGE_ID OTHER_ECS_IMAGE_ID
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/fpga-associate/fpgaassociate"
)

var (
	ctx       = context.Background()
	token     = os.Getenv("FPGA_TOKEN")
	endpoint  = os.Args[1]
	projectID = os.Args[2]
	fpgaID    = os.Args[3]
	ecsID     = os.Args[4]
)

var observed = map[fpgaassociate.Observed]string{
	fpgaassociate.ObservedNothing:    "nothing",
	fpgaassociate.ObservedAssociated: "associated",
	fpgaassociate.ObservedApart:      "apart",
}

func main() {
	caFile, broken, busy := os.Args[5], os.Args[6], os.Args[7]

	plain := open(endpoint, nil)
	fmt.Println("no settings, ECS image alone:", list(plain, nil, &ecsID))
	plain.Close()
	client := open(endpoint, &fpgaassociate.Settings{
		CAFile: caFile, Timeout: 20 * time.Second, UserAgent: "checks/1",
	})
	kept, err := client.Associations(ctx, token, projectID, &fpgaID, nil)
	must(err)
	fmt.Println("FPGA image alone:", len(kept))
	must(client.CloseIdle())
	pem, err := os.ReadFile(caFile)
	must(err)
	ofPEM := open(endpoint, &fpgaassociate.Settings{CAPEM: pem})
	fmt.Println("authority from memory:", list(ofPEM, nil, &ecsID))
	ofPEM.Close()

	_, err = fpgaassociate.NewText(nil, nil)
	fmt.Println("no endpoint:", failure(err).Status)
	fmt.Println("no token:", failure(client.AssociateText(ctx, nil, &projectID, &fpgaID, &ecsID)).Status)
	fmt.Println("no ECS image:", failure(client.AssociateText(ctx, &token, &projectID, &fpgaID, nil)).Status)
	_, err = client.Associations(ctx, token, projectID, nil, nil)
	fmt.Println("no image at all:", failure(err).Status)
	fmt.Println("zero byte:", failure(client.Associate(ctx, token, projectID, fpgaID+"\x00", ecsID)).Status)
	_, err = fpgaassociate.New(endpoint, &fpgaassociate.Settings{CAFile: "/nonexistent/ca.pem"})
	fmt.Println("no such CA file:", failure(err).Status)
	_, err = fpgaassociate.New(endpoint, &fpgaassociate.Settings{ClientCertificate: []byte("none")})
	fmt.Println("no client certificate:", failure(err).Status)

	checkRefusals(client)

	refusal := failure(client.Associate(ctx, token, projectID, strings.Repeat("0", 32), ecsID))
	withID := "without"
	if refusal.RequestID != "" && strings.Contains(refusal.Message, refusal.RequestID) {
		withID = "with"
	}
	fmt.Printf("unknown image: %s %d %s %s request id, outcome %s\n",
		refusal.Status, refusal.HTTPStatus, refusal.Code, withID, outcome(refusal))

	other := open(broken, &fpgaassociate.Settings{NoConfirm: true})
	lost := failure(other.Associate(ctx, token, projectID, fpgaID, ecsID))
	fmt.Printf("lost connection: %s %d, outcome %s, observed %s\n",
		lost.Status, lost.HTTPStatus, outcome(lost), observed[lost.Observed])
	other.Close()

	throttled := open(busy, nil)
	wait := failure(throttled.Associate(ctx, token, projectID, fpgaID, ecsID))
	fmt.Printf("throttled: %s %d, to wait %d ms, attempts %d\n",
		wait.Status, wait.HTTPStatus, wait.RetryAfter.Milliseconds(), wait.Attempts)
	throttled.Close()

	right := callsAtOnce(client)

	idempotent := open(endpoint, &fpgaassociate.Settings{Idempotent: true})
	again := failure(client.Associate(ctx, token, projectID, fpgaID, ecsID))
	fmt.Printf("associated already: %s, observed %s\n", again.Status, observed[again.Observed])
	must(idempotent.Associate(ctx, token, projectID, fpgaID, ecsID))
	fmt.Println("associated already, idempotent: allowed")
	must(client.Disassociate(ctx, token, projectID, fpgaID, ecsID))
	fmt.Println("taken away, left:", list(client, nil, &ecsID))
	again = failure(client.Disassociate(ctx, token, projectID, fpgaID, ecsID))
	fmt.Printf("taken away already: %s, observed %s\n", again.Status, observed[again.Observed])
	must(idempotent.Disassociate(ctx, token, projectID, fpgaID, ecsID))
	fmt.Println("taken away already, idempotent: allowed")
	idempotent.Close()
	client.Close()
	client.Close()
	failure(client.Associate(ctx, token, projectID, fpgaID, ecsID))
	failure(client.CloseIdle())
	fmt.Println("closed: refused")
	fmt.Println("kept after closing:", kept[0].Status)
	checkCredentials()
	checkPlans(os.Args[8], os.Args[9])
	fmt.Println("calls at once:", right)
	fmt.Println("cancelled:", cancelled())
	past, cancel := context.WithDeadline(ctx, time.Now())
	defer cancel()
	err = client.Associate(past, token, projectID, fpgaID, ecsID)
	fmt.Printf("too late: %t %s, outcome %s\n",
		errors.Is(err, context.DeadlineExceeded), failure(err).Status, outcome(failure(err)))
}

// checkRefusals tries values that are wrong; the compiler refuses those of another type.
func checkRefusals(client *fpgaassociate.Client) {
	accepted := ""
	for number, settings := range []fpgaassociate.Settings{
		{Timeout: -1},
		{Timeout: -time.Second},
		{Timeout: (1 << 31) * time.Millisecond},
		{Timeout: (1<<32 + 5) * time.Millisecond},
		{ConnectTimeout: 1<<63 - 1},
		{ConnectTimeout: -1 << 63},
		{MaxAttempts: 1<<32 - 1},
		{CAFile: os.Args[5] + "\x00"},
		{CAPEM: []byte{}},
		{ClientCertificate: []byte{}},
		{UserAgent: "\xff"},
		{Token: "\x00"},
		{AccessKey: &fpgaassociate.AccessKey{}},
		{Token: token, EnvironmentCredentials: true},
	} {
		if _, err := fpgaassociate.New(endpoint, &settings); err == nil {
			accepted += fmt.Sprintf("number %d is accepted ", number)
		}
	}
	fmt.Println("wrong settings:", refusedUnless(accepted))
	accepted = ""
	for _, text := range []string{ecsID + "\x00", "\xff"} {
		_, errOfEndpoint := fpgaassociate.New(endpoint+text, nil)
		_, errOfImage := client.Associations(ctx, token, projectID, nil, &text)
		errOfToken := client.Associate(ctx, token+text, projectID, fpgaID, ecsID)
		if errOfEndpoint == nil || errOfImage == nil || errOfToken == nil {
			accepted += fmt.Sprintf("%q is accepted ", text)
		}
	}
	fmt.Println("wrong texts:", refusedUnless(accepted))
}

// checkCredentials makes calls with what the settings of clients have in place of a token.
func checkCredentials() {
	key := fpgaassociate.AccessKey{
		AccessKey: os.Getenv("FPGA_ACCESS_KEY"), SecretKey: os.Getenv("FPGA_SECRET_KEY"),
	}
	fmt.Println("access key:", okUnless(ownCalls(1, &fpgaassociate.Settings{AccessKey: &key})))

	wrong := fpgaassociate.AccessKey{AccessKey: key.AccessKey, SecretKey: key.SecretKey[1:]}
	wrongSettings := fpgaassociate.Settings{AccessKey: &wrong}
	refusal := failure(ownCalls(1, &wrongSettings))
	told := fmt.Sprintf("%s %v %+v %#v %d", refusal.Message, wrongSettings, &wrongSettings, wrong, wrong)
	fmt.Println("wrong secret key:", refusal.Status.String()+ifIn(told, wrong.SecretKey))

	var reasons []fpgaassociate.Reason
	err := ownCalls(3, &fpgaassociate.Settings{
		CredentialsCallback: func(reason fpgaassociate.Reason) (fpgaassociate.Credentials, error) {
			reasons = append(reasons, reason)
			return fpgaassociate.Credentials{Token: token, ExpiresAt: time.Now().Add(time.Hour)}, nil
		},
	})
	must(err)
	if len(reasons) != 1 || reasons[0] != fpgaassociate.ReasonFirst {
		fmt.Println("reasons:", reasons)
	}
	fmt.Println("credentials callback: asked", len(reasons), "time")

	for _, refuse := range []fpgaassociate.CredentialsCallback{
		func(fpgaassociate.Reason) (fpgaassociate.Credentials, error) { panic("the vault is shut") },
		func(fpgaassociate.Reason) (fpgaassociate.Credentials, error) { runtime.Goexit(); panic("") },
		func(fpgaassociate.Reason) (_ fpgaassociate.Credentials, _ error) { return },
	} {
		refusal = failure(ownCalls(1, &fpgaassociate.Settings{CredentialsCallback: refuse}))
		if refusal.Status != fpgaassociate.CredentialsFailed {
			fmt.Println("not refused:", refusal)
		}
	}
	refusal = failure(ownCalls(1, &fpgaassociate.Settings{
		CredentialsCallback: func(fpgaassociate.Reason) (credentials fpgaassociate.Credentials, err error) {
			return credentials, errors.New("the vault\x00 is shut")
		},
	}))
	if !strings.Contains(refusal.Message, "the vault is shut") {
		fmt.Println("another message:", refusal)
	}
	fmt.Println("refused callback:", refusal.Status)
	fmt.Println("no credentials:", failure(ownCalls(1, nil)).Status)
}

// ownCalls are calls without a token, until one fails.
func ownCalls(count int, settings *fpgaassociate.Settings) error {
	client := open(endpoint, settings)
	defer client.Close()
	for ; count > 0; count-- {
		if _, err := client.Associations(ctx, "", projectID, nil, &ecsID); err != nil {
			return err
		}
	}
	return nil
}

func okUnless(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

func ifIn(text, secret string) string {
	if strings.Contains(text, secret) {
		return ", which tells it"
	}
	return ""
}

func refusedUnless(accepted string) string {
	if accepted == "" {
		return "refused"
	}
	return accepted
}

// cancelled says how a call that waits for an answer that never comes ends when its context does,
// and how the next call of the same client ends.
func cancelled() string {
	host, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer host.Close()
	client := open("http://"+host.Addr().String(),
		&fpgaassociate.Settings{Timeout: 2 * time.Minute, NoConfirm: true})
	cancelled, cancel := context.WithCancel(ctx)
	go func() {
		first, err := host.Accept()
		must(err)
		_, err = first.Read(make([]byte, 1))
		must(err)
		cancel()
		second, err := host.Accept()
		must(err)
		_, err = second.Read(make([]byte, 1<<16))
		must(err)
		_, err = io.WriteString(second, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		must(err)
		// Until the client is closed.
		_, _ = io.Copy(io.Discard, first)
	}()
	began := time.Now()
	left := client.Associate(cancelled, token, projectID, fpgaID, ecsID)
	next := failure(client.Associate(ctx, token, projectID, fpgaID, ecsID))
	client.Close()
	if time.Since(began) > time.Minute {
		return "too late"
	}
	return fmt.Sprintf("%t %s, outcome %s, then %s", errors.Is(left, context.Canceled),
		failure(left).Status, outcome(failure(left)), next.Status)
}

// callsAtOnce makes 200 calls, each in a goroutine of its own, and counts those that met what
// belongs to them and not to another goroutine's call.
func callsAtOnce(client *fpgaassociate.Client) int32 {
	var right int32
	var calls sync.WaitGroup
	for number := 0; number < 200; number++ {
		calls.Add(1)
		go func(number int) {
			defer calls.Done()
			if oneCall(client, number) {
				atomic.AddInt32(&right, 1)
			}
		}(number)
	}
	calls.Wait()
	return right
}

func oneCall(client *fpgaassociate.Client, number int) bool {
	if number%2 == 0 {
		pairs, err := client.Associations(ctx, token, projectID, nil, &ecsID)
		return err == nil && len(pairs) == 1
	}
	unknown := fmt.Sprintf("%032x", number)
	refusal := failure(client.Associate(ctx, token, projectID, unknown, ecsID))
	return refusal.Code == "Ecs.0031" && strings.Contains(refusal.Message, unknown)
}

func open(endpoint string, settings *fpgaassociate.Settings) *fpgaassociate.Client {
	client, err := fpgaassociate.New(endpoint, settings)
	if err != nil {
		panic(err)
	}
	return client
}

func list(client *fpgaassociate.Client, fpgaID, ecsID fpgaassociate.Text) int {
	pairs, err := client.Associations(ctx, token, projectID, fpgaID, ecsID)
	if err != nil {
		panic(err)
	}
	return len(pairs)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func failure(err error) *fpgaassociate.Error {
	var failure *fpgaassociate.Error
	if !errors.As(err, &failure) {
		panic("no error")
	}
	return failure
}

func outcome(failure *fpgaassociate.Error) string {
	if failure.OutcomeUnknown {
		return "unknown"
	}
	return "known"
}
