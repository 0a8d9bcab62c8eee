package fpgaassociate

/*
#include "fpga_associate.h"
*/
import "C"

import (
	"fmt"
	"io"
	"runtime/cgo"
	"strings"
	"time"
)

// A Reason says why a client asks for credentials; its number is an fpga_assoc_reason.
type Reason int32

const (
	ReasonFirst    Reason = C.FPGA_ASSOC_REASON_FIRST    // the client has none yet
	ReasonExpiring Reason = C.FPGA_ASSOC_REASON_EXPIRING // those that it has expire soon, or have expired
	ReasonRefused  Reason = C.FPGA_ASSOC_REASON_REFUSED  // the service refused those that it has
)

// An AccessKey signs requests; the secret key is sent nowhere. SecurityToken is that of a temporary
// key, "" for a permanent one.
type AccessKey struct {
	AccessKey     string
	SecretKey     string
	SecurityToken string
}

// Format prints nothing of the key.
func (AccessKey) Format(state fmt.State, _ rune) { printName(state, "AccessKey") }

// Credentials are what a callback grants: a token or an access key.
type Credentials struct {
	Token     string
	AccessKey *AccessKey
	ExpiresAt time.Time // zero where that is not known
}

// Format prints nothing of the credentials.
func (Credentials) Format(state fmt.State, _ rune) { printName(state, "Credentials") }

// Format prints nothing of the settings, among which there are secrets.
func (Settings) Format(state fmt.State, _ rune) { printName(state, "Settings") }

func printName(state fmt.State, name string) {
	_, _ = io.WriteString(state, "fpgaassociate."+name+"{…}")
}

// A CredentialsCallback gives credentials to calls that bring no token. It is asked by one call at a
// time, at the client's first call, before credentials expire, and when the service refuses them; no
// time limit of a call ends it. An error, or a panic, is what those calls end with, as
// CredentialsFailed.
//
// It must neither call nor close the same client, whose calls wait for it.
type CredentialsCallback func(Reason) (Credentials, error)

//export fpgaassociateCredentials
func fpgaassociateCredentials(callback C.uintptr_t, reason C.int32_t, grant *C.fpga_assoc_grant) {
	credentials, refusal := ask(cgo.Handle(callback).Value().(CredentialsCallback), Reason(reason))
	if refusal == "" {
		refusal = credentials.grant(grant)
	}
	if refusal != "" {
		refuse(grant, refusal)
	}
}

func ask(callback CredentialsCallback, reason Reason) (credentials Credentials, refusal string) {
	refusal = "the callback did not return"
	panicked := alone(func() {
		granted, err := callback(reason)
		if err != nil {
			refusal = fmt.Sprint(err)
			return
		}
		credentials, refusal = granted, ""
	})
	if panicked != nil {
		refusal = fmt.Sprint("panic: ", panicked)
	}
	return credentials, refusal
}

// grant returns why it did not try; what the library refuses, it says itself.
func (c Credentials) grant(grant *C.fpga_assoc_grant) string {
	if (c.Token == "") == (c.AccessKey == nil) {
		return "neither a token nor an access key, or both"
	}
	expiresAt := C.int64_t(0)
	if !c.ExpiresAt.IsZero() {
		expiresAt = C.int64_t(c.ExpiresAt.Unix())
	}
	if c.AccessKey == nil {
		t, err := newTexts(&c.Token)
		if err != nil {
			return err.Error()
		}
		defer t.free()
		C.fpga_assoc_grant_token(grant, t[0], expiresAt)
		return ""
	}
	t, err := newTexts(c.AccessKey.texts()...)
	if err != nil {
		return err.Error()
	}
	defer t.free()
	C.fpga_assoc_grant_access_key(grant, t[0], t[1], t[2], expiresAt)
	return ""
}

func refuse(grant *C.fpga_assoc_grant, message string) {
	message = strings.ToValidUTF8(strings.ReplaceAll(message, "\x00", " "), "?")
	if t, err := newTexts(&message); err == nil {
		defer t.free()
		C.fpga_assoc_grant_refuse(grant, t[0])
	}
}

// texts are those of a key, the last nil for a permanent one; three nil of none.
func (k *AccessKey) texts() []Text {
	if k == nil {
		return make([]Text, 3)
	}
	return []Text{&k.AccessKey, &k.SecretKey, given(&k.SecurityToken)}
}

// given makes nil of an empty text.
func given(text Text) Text {
	if *text == "" {
		return nil
	}
	return text
}
