// Takes the wrapper to its edges and prints what it meets; the test compares.
//
//	checks ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID CA_FILE HOST_THAT_HANGS_UP
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/fpga-associate/fpgaassociate"
)

var (
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
	caFile, broken := os.Args[5], os.Args[6]

	plain := open(endpoint, nil)
	fmt.Println("no settings, ECS image alone:", list(plain, nil, &ecsID))
	plain.Close()
	client := open(endpoint, &fpgaassociate.Settings{
		CAFile: caFile, Timeout: 20 * time.Second, UserAgent: "checks/1",
	})
	fmt.Println("FPGA image alone:", list(client, &fpgaID, nil))
	client.CloseIdle()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		panic(err)
	}
	ofPEM := open(endpoint, &fpgaassociate.Settings{CAPEM: pem})
	fmt.Println("authority from memory:", list(ofPEM, nil, &ecsID))
	ofPEM.Close()

	_, err = fpgaassociate.NewText(nil, nil)
	fmt.Println("no endpoint:", failure(err).Status)
	fmt.Println("no token:", failure(client.AssociateText(nil, &projectID, &fpgaID, &ecsID)).Status)
	fmt.Println("no ECS image:", failure(client.AssociateText(&token, &projectID, &fpgaID, nil)).Status)
	_, err = client.Associations(token, projectID, nil, nil)
	fmt.Println("no image at all:", failure(err).Status)
	fmt.Println("zero byte:", failure(client.Associate(token, projectID, fpgaID+"\x00", ecsID)).Status)
	_, err = fpgaassociate.New(endpoint, &fpgaassociate.Settings{CAFile: "/nonexistent/ca.pem"})
	fmt.Println("no such CA file:", failure(err).Status)
	_, err = fpgaassociate.New(endpoint, &fpgaassociate.Settings{ClientCertificate: []byte("none")})
	fmt.Println("no client certificate:", failure(err).Status)

	refusal := failure(client.Associate(token, projectID, strings.Repeat("0", 32), ecsID))
	withID := "without"
	if refusal.RequestID != "" && strings.Contains(refusal.Message, refusal.RequestID) {
		withID = "with"
	}
	fmt.Printf("unknown image: %s %d %s %s request id, outcome %s\n",
		refusal.Status, refusal.HTTPStatus, refusal.Code, withID, outcome(refusal))

	other := open(broken, &fpgaassociate.Settings{NoConfirm: true})
	lost := failure(other.Associate(token, projectID, fpgaID, ecsID))
	fmt.Printf("lost connection: %s %d, outcome %s, observed %s\n",
		lost.Status, lost.HTTPStatus, outcome(lost), observed[lost.Observed])
	other.Close()

	right := callsAtOnce(client)

	idempotent := open(endpoint, &fpgaassociate.Settings{Idempotent: true})
	again := failure(client.Associate(token, projectID, fpgaID, ecsID))
	fmt.Printf("associated already: %s, observed %s\n", again.Status, observed[again.Observed])
	if err := idempotent.Associate(token, projectID, fpgaID, ecsID); err != nil {
		panic(err)
	}
	fmt.Println("associated already, idempotent: allowed")
	if err := client.Disassociate(token, projectID, fpgaID, ecsID); err != nil {
		panic(err)
	}
	fmt.Println("taken away, left:", list(client, nil, &ecsID))
	again = failure(client.Disassociate(token, projectID, fpgaID, ecsID))
	fmt.Printf("taken away already: %s, observed %s\n", again.Status, observed[again.Observed])
	if err := idempotent.Disassociate(token, projectID, fpgaID, ecsID); err != nil {
		panic(err)
	}
	fmt.Println("taken away already, idempotent: allowed")
	idempotent.Close()
	client.Close()
	client.Close()
	failure(client.Associate(token, projectID, fpgaID, ecsID))
	fmt.Println("closed: refused")
	fmt.Println("calls at once:", right)
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
		pairs, err := client.Associations(token, projectID, nil, &ecsID)
		return err == nil && len(pairs) == 1
	}
	unknown := fmt.Sprintf("%032x", number)
	refusal := failure(client.Associate(token, projectID, unknown, ecsID))
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
	pairs, err := client.Associations(token, projectID, fpgaID, ecsID)
	if err != nil {
		panic(err)
	}
	return len(pairs)
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
