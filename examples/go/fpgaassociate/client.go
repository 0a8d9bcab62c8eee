// Package fpgaassociate associates FPGA images with ECS images of Huawei Cloud: libfpga_associate
// through cgo.
//
// The library is linked when the program is built. Where the header and the library are not where
// the C compiler looks for them, name their folders:
//
//	CGO_CFLAGS="-I$PREFIX/include" CGO_LDFLAGS="-L$PREFIX/lib -Wl,-rpath,$PREFIX/lib" go build
//
// Any number of goroutines may use one Client. Each call occupies a thread until it ends, within the
// client's time limit.
//
// A context that is done ends the waiting for a call: the error is at once one that wraps ctx.Err().
// The call itself goes on without its caller, because others may use the client too, until its time
// limit or Close. A change may therefore still take effect, which OutcomeUnknown says.
//
// A call whose token is "" is made with the credentials of the client's settings.
//
// Many pairs at once are a Plan, of which the differences alone are sent:
//
//	plan, err := fpgaassociate.NewPlan(nil)
//	...
//	defer plan.Close()
//	err = plan.Add(fpgaID, ecsID, true)
//	...
//	err = client.Apply(ctx, token, projectID, plan)
//	for i, pair := range plan.Results() {
//		if pair.Err != nil {
//			log.Println(i, pair.FPGAID, pair.ECSID, pair.Err)
//		}
//	}
package fpgaassociate

/*
#cgo LDFLAGS: -lfpga_associate
#include <stdlib.h>
#include "fpga_associate.h"

extern void fpgaassociateCredentials(uintptr_t callback, int32_t reason, fpga_assoc_grant *grant);

// A handle is a number: Go's own memory may not hold it as a pointer.
static void credentials(void *callback, int32_t reason, fpga_assoc_grant *grant)
{
	fpgaassociateCredentials((uintptr_t)callback, reason, grant);
}

static int32_t set_credentials_callback(fpga_assoc_config *config, uintptr_t callback)
{
	return fpga_assoc_config_set_credentials_callback(config, credentials, (void *)callback);
}
*/
import "C"

import (
	"context"
	"errors"
	"runtime"
	"runtime/cgo"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// A Status says how a call ended; its number is an fpga_assoc_status.
type Status int32

// The statuses that callers ask for most. The header has all.
const (
	OK                Status = C.FPGA_ASSOC_OK
	InvalidArgument   Status = C.FPGA_ASSOC_INVALID_ARGUMENT
	Timeout           Status = C.FPGA_ASSOC_TIMEOUT
	ConnectionLost    Status = C.FPGA_ASSOC_CONNECTION_LOST
	Cancelled         Status = C.FPGA_ASSOC_CANCELLED
	CredentialsFailed Status = C.FPGA_ASSOC_CREDENTIALS_FAILED
	Unauthorized      Status = C.FPGA_ASSOC_UNAUTHORIZED
	NotFound          Status = C.FPGA_ASSOC_NOT_FOUND
	Conflict          Status = C.FPGA_ASSOC_CONFLICT
	Throttled         Status = C.FPGA_ASSOC_THROTTLED
	Pending           Status = C.FPGA_ASSOC_PENDING
	AlreadyAssociated Status = C.FPGA_ASSOC_ALREADY_ASSOCIATED
	NotAssociated     Status = C.FPGA_ASSOC_NOT_ASSOCIATED
	LimitReached      Status = C.FPGA_ASSOC_LIMIT_REACHED
	Incomplete        Status = C.FPGA_ASSOC_INCOMPLETE
)

// String is the constant's name, such as "FPGA_ASSOC_TIMEOUT".
func (s Status) String() string { return C.GoString(C.fpga_assoc_status_name(C.int32_t(s))) }

// Help is the likely cause and what to do about it.
func (s Status) Help() string { return C.GoString(C.fpga_assoc_status_help(C.int32_t(s))) }

// An Observed says what the list showed last; its number is an fpga_assoc_observed.
type Observed int32

const (
	ObservedNothing    Observed = C.FPGA_ASSOC_OBSERVED_NOTHING
	ObservedAssociated Observed = C.FPGA_ASSOC_OBSERVED_ASSOCIATED
	ObservedApart      Observed = C.FPGA_ASSOC_OBSERVED_APART
)

// An Error says why a call failed. Every error of this package is an *Error.
type Error struct {
	Status         Status
	HTTPStatus     int // 0: no answer came
	Message        string
	Code           string // the service's own, such as "Ecs.0005", or ""
	RequestID      string
	RetryAfter     time.Duration
	Attempts       int
	OutcomeUnknown bool // the service may have acted on the request
	Observed       Observed

	cause error
}

func (e *Error) Error() string { return e.Message }

// Unwrap is the context's error where that ended the call.
func (e *Error) Unwrap() error { return e.cause }

// An Association is a pair of images; "" is what the service did not give.
type Association struct {
	ECSID        string
	FPGAID       string
	Name         string
	Description  string
	Status       string
	CreatedAt    string
	Message      string
	Metadata     string
	LogDirectory string
	SizeMB       uint64
	IsProtected  bool
}

// Settings for a client. What is zero or nil keeps the library's default.
type Settings struct {
	Timeout        time.Duration
	ConnectTimeout time.Duration
	MaxAttempts    uint32
	CAFile         string
	CAPEM          []byte // as CAFile, from memory
	// The certificate that the endpoint sees where it asks for one, and its key, in PEM.
	ClientCertificate []byte
	Proxy             *string // "" is none, nil is the environment's
	UserAgent         string
	AllowHTTP         bool
	NoConfirm         bool
	Idempotent        bool

	// The credentials of calls that bring no token: one kind, or none.
	Token                  string
	AccessKey              *AccessKey
	EnvironmentCredentials bool // an access key from where the vendor's tools look, when the client is made
	ECSAgency              bool // the keys of the agency of the ECS server that this runs on
	CredentialsCallback    CredentialsCallback
}

// Text is an argument that may be missing: nil becomes NULL.
type Text = *string

// Version is that of the library that is loaded.
func Version() string { return C.GoString(C.fpga_assoc_version()) }

// A Client calls one endpoint.
type Client struct {
	// Held for reading by each call, for writing to free the client.
	inUse   sync.RWMutex
	pointer *C.fpga_assoc_client
	// The callback's, as long as the client may ask it; 0 for none.
	callback cgo.Handle
	closing  sync.Once
}

// New makes a client. Settings may be nil.
func New(endpoint string, settings *Settings) (*Client, error) {
	return NewText(&endpoint, settings)
}

// NewText is New for an endpoint that may be missing, which is an error.
func NewText(endpoint Text, settings *Settings) (*Client, error) {
	texts, err := newTexts(endpoint)
	if err != nil {
		return nil, err
	}
	defer texts.free()
	config, callback, err := newConfig(settings)
	if err != nil {
		return nil, err
	}
	defer C.fpga_assoc_config_free(config)

	client := &Client{callback: callback}
	var failure *C.fpga_assoc_error
	C.fpga_assoc_client_new(texts[0], config, &client.pointer, &failure)
	if failure != nil {
		release(callback)
		return nil, taken(failure)
	}
	// For a client that nobody closes.
	runtime.SetFinalizer(client, (*Client).Close)
	return client, nil
}

// CloseIdle closes the connections that no call uses now.
func (c *Client) CloseIdle() error {
	if !c.inUse.TryRLock() {
		return closed()
	}
	defer c.inUse.RUnlock()
	if c.pointer == nil {
		return closed()
	}
	C.fpga_assoc_client_close_idle(c.pointer)
	return nil
}

// Close ends the calls of other goroutines as Cancelled, waits for them, and frees the client.
func (c *Client) Close() {
	c.closing.Do(func() {
		runtime.SetFinalizer(c, nil)
		C.fpga_assoc_client_shutdown(c.pointer)
		c.inUse.Lock()
		defer c.inUse.Unlock()
		C.fpga_assoc_client_free(c.pointer)
		c.pointer = nil
		release(c.callback)
	})
}

// Associate associates an FPGA image with an ECS image.
func (c *Client) Associate(ctx context.Context, token, projectID, fpgaID, ecsID string) error {
	return c.AssociateText(ctx, given(&token), &projectID, &fpgaID, &ecsID)
}

// AssociateText is Associate for arguments that may be missing. Only the token may, where the client
// has credentials.
func (c *Client) AssociateText(ctx context.Context, token, projectID, fpgaID, ecsID Text) error {
	return c.call(ctx, true, func(t texts, failure **C.fpga_assoc_error) {
		C.fpga_assoc_client_associate(c.pointer, t[0], t[1], t[2], t[3], failure)
	}, token, projectID, fpgaID, ecsID)
}

// Disassociate takes an association away.
func (c *Client) Disassociate(ctx context.Context, token, projectID, fpgaID, ecsID string) error {
	return c.call(ctx, true, func(t texts, failure **C.fpga_assoc_error) {
		C.fpga_assoc_client_disassociate(c.pointer, t[0], t[1], t[2], t[3], failure)
	}, given(&token), &projectID, &fpgaID, &ecsID)
}

// Associations lists those of an FPGA image, of an ECS image, or of both; one of the two may be nil.
func (c *Client) Associations(
	ctx context.Context, token, projectID string, fpgaID, ecsID Text,
) ([]Association, error) {
	listed := make(chan []Association, 1)
	err := c.call(ctx, false, func(t texts, failure **C.fpga_assoc_error) {
		var list *C.fpga_assoc_list
		C.fpga_assoc_client_associations(c.pointer, t[0], t[1], t[2], t[3], &list, failure)
		defer C.fpga_assoc_list_free(list)
		associations := make([]Association, C.fpga_assoc_list_len(list))
		for i := range associations {
			associations[i] = association(C.fpga_assoc_list_get(list, C.size_t(i)))
		}
		listed <- associations
	}, given(&token), &projectID, fpgaID, ecsID)
	if err != nil {
		return nil, err
	}
	return <-listed, nil
}

// call runs a function in a goroutine of its own, which frees what is C's, and waits for it or for
// the context.
func (c *Client) call(
	ctx context.Context, changes bool, function func(texts, **C.fpga_assoc_error), values ...Text,
) error {
	t, err := newTexts(values...)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		t.free()
		return contextError(err, false)
	}
	// Close alone locks for writing: who meets it must not wait, lest it wait for a call that waits for this one.
	if !c.inUse.TryRLock() {
		t.free()
		return closed()
	}
	returned := make(chan error, 1)
	go func() {
		defer c.inUse.RUnlock()
		defer t.free()
		var failure *C.fpga_assoc_error
		function(t, &failure)
		returned <- result(failure)
	}()
	select {
	case err := <-returned:
		return err
	case <-ctx.Done():
		return contextError(ctx.Err(), changes)
	}
}

func contextError(cause error, outcomeUnknown bool) *Error {
	status := Cancelled
	if errors.Is(cause, context.DeadlineExceeded) {
		status = Timeout
	}
	return &Error{
		Status: status, Message: cause.Error(), OutcomeUnknown: outcomeUnknown, cause: cause,
	}
}

func association(entry *C.fpga_assoc_entry) Association {
	return Association{
		ECSID:        C.GoString(entry.ecs_id),
		FPGAID:       C.GoString(entry.fpga_id),
		Name:         C.GoString(entry.name),
		Description:  C.GoString(entry.description),
		Status:       C.GoString(entry.status),
		CreatedAt:    C.GoString(entry.created_at),
		Message:      C.GoString(entry.message),
		Metadata:     C.GoString(entry.metadata),
		LogDirectory: C.GoString(entry.log_directory),
		SizeMB:       uint64(entry.size_mb),
		IsProtected:  bool(entry.is_protected),
	}
}

// newConfig returns nil, which is all defaults, for nil. The callback is to be released after the
// client.
func newConfig(settings *Settings) (_ *C.fpga_assoc_config, callback cgo.Handle, _ error) {
	if settings == nil {
		return nil, 0, nil
	}
	if settings.kindsOfCredentials() > 1 {
		return nil, 0, &Error{
			Status: InvalidArgument, Message: "the settings have credentials of more than one kind",
		}
	}
	values := []Text{
		given(&settings.CAFile), given(&settings.UserAgent), settings.Proxy, given(&settings.Token),
	}
	t, err := newTexts(append(values, settings.AccessKey.texts()...)...)
	if err != nil {
		return nil, 0, err
	}
	defer t.free()
	if settings.CredentialsCallback != nil {
		callback = cgo.NewHandle(settings.CredentialsCallback)
	}

	// Setters have no error pointer: what they tell the thread must be read on the same thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	config := C.fpga_assoc_config_new()
	status := C.int32_t(C.FPGA_ASSOC_OK)
	set := func(wanted bool, setter func() C.int32_t) {
		if wanted && status == C.FPGA_ASSOC_OK {
			status = setter()
		}
	}
	set(settings.Timeout != 0, func() C.int32_t {
		return C.fpga_assoc_config_set_timeout_ms(config, milliseconds(settings.Timeout))
	})
	set(settings.ConnectTimeout != 0, func() C.int32_t {
		return C.fpga_assoc_config_set_connect_timeout_ms(config, milliseconds(settings.ConnectTimeout))
	})
	set(settings.MaxAttempts != 0, func() C.int32_t {
		return C.fpga_assoc_config_set_max_attempts(config, C.uint32_t(settings.MaxAttempts))
	})
	set(t[0] != nil, func() C.int32_t { return C.fpga_assoc_config_set_ca_file(config, t[0]) })
	set(settings.CAPEM != nil, func() C.int32_t {
		pem, length := bytes(settings.CAPEM)
		return C.fpga_assoc_config_set_ca_pem(config, pem, length)
	})
	set(settings.ClientCertificate != nil, func() C.int32_t {
		pem, length := bytes(settings.ClientCertificate)
		return C.fpga_assoc_config_set_client_certificate(config, pem, length)
	})
	set(t[1] != nil, func() C.int32_t { return C.fpga_assoc_config_set_user_agent(config, t[1]) })
	set(t[2] != nil, func() C.int32_t { return C.fpga_assoc_config_set_proxy(config, t[2]) })
	set(settings.AllowHTTP, func() C.int32_t { return C.fpga_assoc_config_set_allow_http(config, true) })
	set(settings.NoConfirm, func() C.int32_t { return C.fpga_assoc_config_set_confirm(config, false) })
	set(settings.Idempotent, func() C.int32_t { return C.fpga_assoc_config_set_idempotent(config, true) })
	set(t[3] != nil, func() C.int32_t { return C.fpga_assoc_config_set_token(config, t[3]) })
	set(settings.AccessKey != nil, func() C.int32_t {
		return C.fpga_assoc_config_set_access_key(config, t[4], t[5], t[6])
	})
	set(settings.EnvironmentCredentials, func() C.int32_t {
		return C.fpga_assoc_config_set_environment_credentials(config)
	})
	set(settings.ECSAgency, func() C.int32_t { return C.fpga_assoc_config_set_ecs_agency(config) })
	set(callback != 0, func() C.int32_t {
		return C.set_credentials_callback(config, C.uintptr_t(callback))
	})
	if status != C.FPGA_ASSOC_OK {
		err := &Error{Status: Status(status), Message: C.GoString(C.fpga_assoc_last_error())}
		C.fpga_assoc_config_free(config)
		release(callback)
		return nil, 0, err
	}
	return config, callback, nil
}

func (s *Settings) kindsOfCredentials() int {
	kinds := 0
	for _, isGiven := range []bool{
		s.Token != "", s.AccessKey != nil, s.EnvironmentCredentials, s.ECSAgency,
		s.CredentialsCallback != nil,
	} {
		if isGiven {
			kinds++
		}
	}
	return kinds
}

func release(callback cgo.Handle) {
	if callback != 0 {
		callback.Delete()
	}
}

// bytes are borrowed for a call; those of none are NULL, which the setters refuse.
func bytes(values []byte) (*C.char, C.size_t) {
	if len(values) == 0 {
		return nil, 0
	}
	return (*C.char)(unsafe.Pointer(&values[0])), C.size_t(len(values))
}

// milliseconds makes 0, which the setters refuse, of what is negative or too long.
func milliseconds(duration time.Duration) C.uint32_t {
	ms := (duration + time.Millisecond - 1).Milliseconds()
	if ms < 0 || ms > 1<<32-1 {
		return 0
	}
	return C.uint32_t(ms)
}

func closed() error {
	return &Error{Status: InvalidArgument, Message: "the client is closed"}
}

func result(failure *C.fpga_assoc_error) error {
	if failure == nil {
		return nil
	}
	return taken(failure)
}

// taken copies an error and frees it.
func taken(failure *C.fpga_assoc_error) *Error {
	defer C.fpga_assoc_error_free(failure)
	return copied(failure)
}

func copied(failure *C.fpga_assoc_error) *Error {
	return &Error{
		Status:         Status(C.fpga_assoc_error_status(failure)),
		HTTPStatus:     int(C.fpga_assoc_error_http_status(failure)),
		Message:        C.GoString(C.fpga_assoc_error_message(failure)),
		Code:           C.GoString(C.fpga_assoc_error_code(failure)),
		RequestID:      C.GoString(C.fpga_assoc_error_request_id(failure)),
		RetryAfter:     time.Duration(C.fpga_assoc_error_retry_after_ms(failure)) * time.Millisecond,
		Attempts:       int(C.fpga_assoc_error_attempts(failure)),
		OutcomeUnknown: bool(C.fpga_assoc_error_outcome_unknown(failure)),
		Observed:       Observed(C.fpga_assoc_error_observed(failure)),
	}
}

// texts are C's copies of arguments.
type texts []*C.char

func newTexts(values ...Text) (texts, error) {
	copies := make(texts, len(values))
	for i, value := range values {
		if value == nil {
			continue
		}
		if strings.ContainsRune(*value, 0) {
			copies.free()
			// C would take it for a shorter one.
			return nil, &Error{Status: InvalidArgument, Message: "an argument holds a zero byte"}
		}
		copies[i] = C.CString(*value)
	}
	return copies, nil
}

func (t texts) free() {
	for _, text := range t {
		C.free(unsafe.Pointer(text))
	}
}
