// Associates an FPGA image with an ECS image and lists what the ECS image has.
//
//	go run . ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
//
// The token comes from the environment variable FPGA_TOKEN. The exit status is the
// fpga_assoc_status. How to find the library: see the package fpgaassociate.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"example.com/fpga-associate/fpgaassociate"
)

func main() {
	os.Exit(int(run()))
}

func run() fpgaassociate.Status {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: main ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID")
		return fpgaassociate.InvalidArgument
	}
	token, isSet := os.LookupEnv("FPGA_TOKEN")
	if !isSet {
		fmt.Fprintln(os.Stderr, "error: the environment variable FPGA_TOKEN is not set")
		return fpgaassociate.InvalidArgument
	}
	// Ctrl-C ends the call that waits.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := associateAndList(ctx, token, os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	var failure *fpgaassociate.Error
	if errors.As(err, &failure) {
		report(failure)
		return failure.Status
	}
	return fpgaassociate.OK
}

func associateAndList(ctx context.Context, token, endpoint, projectID, fpgaID, ecsID string) error {
	client, err := fpgaassociate.New(endpoint, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Associate(ctx, token, projectID, fpgaID, ecsID); err != nil {
		return err
	}
	fmt.Printf("FPGA image %s is associated with ECS image %s\n", fpgaID, ecsID)
	pairs, err := client.Associations(ctx, token, projectID, nil, &ecsID)
	if err != nil {
		return err
	}
	for _, pair := range pairs {
		protected := "not protected"
		if pair.IsProtected {
			protected = "protected"
		}
		fmt.Printf("%s  %s  %s  %d MB  %s  %s\n",
			pair.ECSID, pair.FPGAID, pair.Status, pair.SizeMB, protected, pair.Name)
	}
	return nil
}

func report(failure *fpgaassociate.Error) {
	fmt.Fprintf(os.Stderr, "error: %s\n", failure)
	fmt.Fprintf(os.Stderr, "  status:     %s (%d)\n", failure.Status, int32(failure.Status))
	if failure.Code != "" {
		fmt.Fprintf(os.Stderr, "  code:       %s\n", failure.Code)
	}
	if failure.RequestID != "" {
		fmt.Fprintf(os.Stderr, "  request id: %s\n", failure.RequestID)
	}
	if failure.OutcomeUnknown {
		fmt.Fprintln(os.Stderr, "  outcome:    unknown, the service may have acted")
	}
	fmt.Fprintf(os.Stderr, "  help:       %s\n", failure.Status.Help())
}
