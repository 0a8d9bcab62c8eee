// Associates an FPGA image with an ECS image and lists what the ECS image has.
//
//	go run . [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID
//
// The environment variable FPGA_TOKEN holds a token. Without it --agency takes the keys of the agency
// of the ECS server that this runs on, and otherwise there is an access key where the vendor's tools
// look for one: HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK. The exit status is the fpga_assoc_status.
// How to find the library: see the package fpgaassociate.
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
	arguments := os.Args[1:]
	agency := len(arguments) > 0 && arguments[0] == "--agency"
	if agency {
		arguments = arguments[1:]
	}
	if len(arguments) != 4 {
		fmt.Fprintln(os.Stderr, "usage: main [--agency] ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID")
		return fpgaassociate.InvalidArgument
	}
	// Ctrl-C ends the call that waits.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	client, err := fpgaassociate.New(arguments[0], credentials(agency))
	if err == nil {
		defer client.Close()
		err = associateAndList(ctx, client, arguments[1], arguments[2], arguments[3])
	}
	var failure *fpgaassociate.Error
	if errors.As(err, &failure) {
		report(failure)
		return failure.Status
	}
	return fpgaassociate.OK
}

func credentials(agency bool) *fpgaassociate.Settings {
	if token, isSet := os.LookupEnv("FPGA_TOKEN"); isSet {
		return &fpgaassociate.Settings{Token: token}
	}
	return &fpgaassociate.Settings{ECSAgency: agency, EnvironmentCredentials: !agency}
}

func associateAndList(
	ctx context.Context, client *fpgaassociate.Client, projectID, fpgaID, ecsID string,
) error {
	if err := client.Associate(ctx, "", projectID, fpgaID, ecsID); err != nil {
		return err
	}
	fmt.Printf("FPGA image %s is associated with ECS image %s\n", fpgaID, ecsID)
	pairs, err := client.Associations(ctx, "", projectID, nil, &ecsID)
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
	if failure.Status == fpgaassociate.CredentialsFailed {
		fmt.Fprintln(os.Stderr, "  needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, "+
			"or, on an ECS server with an agency, --agency")
	}
	fmt.Fprintf(os.Stderr, "  help:       %s\n", failure.Status.Help())
}
