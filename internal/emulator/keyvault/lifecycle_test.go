package keyvault_test

import (
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault"
)

func TestSoftDeleteOfASecret(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{DeleteFor: 10 * time.Second, RecoverFor: 20 * time.Second})
	l.vault(t, "kv1", map[string]any{"softDeleteRetentionInDays": 7})
	c := l.secrets(t, "kv1")
	set := func() error {
		_, err := c.SetSecret(t.Context(), "s", azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
		return err
	}
	get := func() error {
		_, err := c.GetSecret(t.Context(), "s", "", nil)
		return err
	}
	getDeleted := func() error {
		_, err := c.GetDeletedSecret(t.Context(), "s", nil)
		return err
	}
	check(t, set())
	gone, err := c.DeleteSecret(t.Context(), "s", nil)
	check(t, err)
	if *gone.RecoveryID != "https://kv1.vault.azure.net/deletedsecrets/s" || !gone.DeletedDate.Equal(start) || !gone.ScheduledPurgeDate.Equal(start.AddDate(0, 0, 7)) {
		t.Errorf("deleted = %+v", gone.DeletedSecret)
	}
	if *gone.Attributes.RecoveryLevel != "CustomizedRecoverable+Purgeable" || *gone.Attributes.RecoverableDays != 7 {
		t.Errorf("recovery = %s, %d", *gone.Attributes.RecoveryLevel, *gone.Attributes.RecoverableDays)
	}
	wantError(t, set(), 409, "Conflict", "ObjectIsBeingDeleted")
	wantError(t, get(), 404, "SecretNotFound", "")
	wantError(t, getDeleted(), 404, "SecretNotFound", "")
	l.advance(10 * time.Second)
	wantError(t, set(), 409, "Conflict", "ObjectIsDeletedButRecoverable")
	wantError(t, get(), 404, "SecretNotFound", "")
	check(t, getDeleted())

	_, err = c.RecoverDeletedSecret(t.Context(), "s", nil)
	check(t, err)
	wantError(t, set(), 409, "Conflict", "ObjectIsBeingRecovered")
	wantError(t, get(), 404, "SecretNotFound", "")
	l.advance(10 * time.Second) // reads come back before writes
	check(t, get())
	wantError(t, set(), 409, "Conflict", "ObjectIsBeingRecovered")
	_, err = c.UpdateSecretProperties(t.Context(), "s", "", azsecrets.UpdateSecretPropertiesParameters{ContentType: to.Ptr("t")}, nil)
	wantError(t, err, 409, "Conflict", "ObjectIsBeingRecovered")
	l.advance(10 * time.Second)
	check(t, set())

	_, err = c.DeleteSecret(t.Context(), "s", nil)
	check(t, err)
	l.advance(10 * time.Second)
	_, err = c.PurgeDeletedSecret(t.Context(), "s", nil)
	check(t, err)
	wantError(t, getDeleted(), 404, "SecretNotFound", "")
	check(t, set())
}

func TestRetentionEnds(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", map[string]any{"softDeleteRetentionInDays": 7})
	c := l.secrets(t, "kv1")
	for _, name := range []string{"a", "b"} {
		_, err := c.SetSecret(t.Context(), name, azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
		check(t, err)
		_, err = c.DeleteSecret(t.Context(), name, nil)
		check(t, err)
		l.advance(24 * time.Hour)
	}
	deleted := func() (names []string) {
		for pager := c.NewListDeletedSecretPropertiesPager(nil); pager.More(); {
			p, err := pager.NextPage(t.Context())
			check(t, err)
			for _, s := range p.Value {
				names = append(names, s.ID.Name())
			}
		}
		return names
	}
	if got := deleted(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("deleted = %v", got)
	}
	l.advance(5 * 24 * time.Hour) // seven days after the first
	if got := deleted(); !slices.Equal(got, []string{"b"}) {
		t.Errorf("deleted after seven days = %v", got)
	}
	_, err := c.SetSecret(t.Context(), "a", azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
	check(t, err)
	l.advance(24 * time.Hour)
	_, err = c.RecoverDeletedSecret(t.Context(), "b", nil)
	wantError(t, err, 404, "SecretNotFound", "")
}

func TestPurgeProtection(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", map[string]any{"enablePurgeProtection": true})
	c := l.secrets(t, "kv1")
	s, err := c.SetSecret(t.Context(), "s", azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
	check(t, err)
	if *s.Attributes.RecoveryLevel != "Recoverable" {
		t.Errorf("recoveryLevel = %s", *s.Attributes.RecoveryLevel)
	}
	_, err = c.DeleteSecret(t.Context(), "s", nil)
	check(t, err)
	_, err = c.PurgeDeletedSecret(t.Context(), "s", nil)
	wantError(t, err, 403, "Forbidden", "ForbiddenByPolicy")
}

func TestVaultWithoutSoftDelete(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{})
	l.vault(t, "kv1", map[string]any{"enableSoftDelete": false})
	c := l.secrets(t, "kv1")
	s, err := c.SetSecret(t.Context(), "s", azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
	check(t, err)
	if *s.Attributes.RecoveryLevel != "Purgeable" {
		t.Errorf("recoveryLevel = %s", *s.Attributes.RecoveryLevel)
	}
	_, err = c.DeleteSecret(t.Context(), "s", nil)
	check(t, err)
	_, err = c.GetDeletedSecret(t.Context(), "s", nil)
	wantError(t, err, 404, "SecretNotFound", "")
	_, err = c.SetSecret(t.Context(), "s", azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
	check(t, err)
}

func TestSecretBackup(t *testing.T) {
	t.Parallel()
	l := newLab(t, keyvault.Options{RecoverFor: -1})
	l.vault(t, "kv1", nil)
	l.vault(t, "kv2", nil)
	far := resource("kv3", nil)
	far.Body["location"] = "eastus"
	if err := l.svc.Put(far, nil); err != nil {
		t.Fatal(err)
	}
	l.vault(t, "kv4", map[string]any{"tenantId": tenantB})
	c := l.secrets(t, "kv1")
	for _, v := range []string{"1", "2"} {
		_, err := c.SetSecret(t.Context(), "s", azsecrets.SetSecretParameters{Value: to.Ptr(v), Tags: map[string]*string{"v": to.Ptr(v)}}, nil)
		check(t, err)
	}
	blob, err := c.BackupSecret(t.Context(), "s", nil)
	check(t, err)
	restore := func(vault string) error {
		_, err := l.secrets(t, vault).RestoreSecret(t.Context(), azsecrets.RestoreSecretParameters{SecretBackup: blob.Value}, nil)
		return err
	}
	wantError(t, restore("kv1"), 409, "Conflict", "")
	wantError(t, restore("kv3"), 400, "BadParameter", "") // another geography
	wantError(t, restore("kv4"), 400, "BadParameter", "") // another subscription
	check(t, restore("kv2"))
	got, err := l.secrets(t, "kv2").GetSecret(t.Context(), "s", "", nil)
	check(t, err)
	if *got.Value != "2" || *got.Tags["v"] != "2" {
		t.Errorf("restored = %+v", got.Secret)
	}
	_, err = c.DeleteSecret(t.Context(), "s", nil)
	check(t, err)
	wantError(t, restore("kv1"), 409, "Conflict", "ObjectIsDeletedButRecoverable")
	_, err = c.PurgeDeletedSecret(t.Context(), "s", nil)
	check(t, err)
	check(t, restore("kv1"))
	blob.Value[len(blob.Value)-1] ^= 1
	wantError(t, restore("kv2"), 400, "BadParameter", "")
	wantError(t, func() error {
		_, err := l.keys(t, "kv2").BackupKey(t.Context(), "none", nil)
		return err
	}(), 404, "KeyNotFound", "")
}
