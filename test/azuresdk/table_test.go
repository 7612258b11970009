package azuresdk

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

var frequently = runtime.PollUntilDoneOptions{Frequency: time.Millisecond}

// operation is one line of the table: a call and how it must end.
type operation struct {
	name   string
	do     func(ctx context.Context, w *world) error
	status int    // of the error; 0: the call must succeed
	text   string // stands in the error
}

// operations run in order against one world: later ones see what earlier ones made.
var operations = [][]operation{signIn, resourceManager, secrets, keys, certificates}

func TestOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, table := range operations {
		for _, op := range table {
			t.Run(op.name, func(t *testing.T) { op.check(t, w) })
		}
	}
}

func (op operation) check(t *testing.T, w *world) {
	t.Helper()
	err := op.do(t.Context(), w)
	if op.status == 0 && op.text == "" {
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if err == nil {
		t.Fatalf("succeeded, want %d %s", op.status, op.text)
	}
	var answer *azcore.ResponseError
	if op.status != 0 && (!errors.As(err, &answer) || answer.StatusCode != op.status) {
		t.Errorf("got %v, want status %d", err, op.status)
	}
	if !strings.Contains(err.Error(), op.text) {
		t.Errorf("got %v, want %q in it", err, op.text)
	}
}

var signIn = []operation{
	{name: "sign in", do: func(ctx context.Context, w *world) error {
		_, err := w.resources.GetByID(ctx, w.vaultID(), "2024-11-01", nil)
		return err
	}},
	{name: "sign in with a wrong secret", text: "AADSTS7000215", do: func(ctx context.Context, w *world) error {
		return w.tryCredential(ctx, w.id.TenantID, "wrong")
	}},
	{name: "sign in to an unknown tenant", text: "AADSTS90002", do: func(ctx context.Context, w *world) error {
		return w.tryCredential(ctx, "99999999-0000-4000-8000-000000000009", w.id.Secret)
	}},
	{name: "sign in to the wrong tenant", text: "AADSTS700016", do: func(ctx context.Context, w *world) error {
		other, err := w.emulator.Principal("fabrikam")
		if err != nil {
			return err
		}
		return w.tryCredential(ctx, other.TenantID, w.id.Secret)
	}},
}

var resourceManager = []operation{
	{name: "create a group", do: func(ctx context.Context, w *world) error {
		_, err := w.groups.CreateOrUpdate(ctx, "rg-new", armresources.ResourceGroup{Location: to("westeurope")}, nil)
		return err
	}},
	{name: "look for a group", do: func(ctx context.Context, w *world) error {
		there, err := w.groups.CheckExistence(ctx, "rg-new", nil)
		if err == nil && !there.Success {
			return errors.New("the group is not there")
		}
		return err
	}},
	{name: "delete a group", do: func(ctx context.Context, w *world) error {
		poller, err := w.groups.BeginDelete(ctx, "rg-new", nil)
		if err == nil {
			_, err = poller.PollUntilDone(ctx, &frequently)
		}
		return err
	}},
	{name: "get a deleted group", status: 404, text: "ResourceGroupNotFound", do: func(ctx context.Context, w *world) error {
		_, err := w.groups.Get(ctx, "rg-new", nil)
		return err
	}},
	{name: "list resources by type", do: func(ctx context.Context, w *world) error {
		filter := "resourceType eq '" + vaultType + "'"
		return counts(ctx, 1, w.resources.NewListPager(&armresources.ClientListOptions{Filter: &filter}), func(p armresources.ClientListResponse) int { return len(p.Value) })
	}},
	{name: "get an absent resource", status: 404, text: "ResourceNotFound", do: func(ctx context.Context, w *world) error {
		_, err := w.resources.GetByID(ctx, strings.Replace(w.vaultID(), vault, "kv-absent", 1), "2024-11-01", nil)
		return err
	}},
	{name: "an api-version that does not exist", status: 400, text: "NoRegisteredProviderFound", do: func(ctx context.Context, w *world) error {
		_, err := w.resources.GetByID(ctx, w.vaultID(), "1999-01-01", nil)
		return err
	}},
	{name: "another tenant's subscription", status: 401, text: "InvalidAuthenticationTokenTenant", do: func(ctx context.Context, w *world) error {
		other, err := w.emulator.Principal("fabrikam")
		if err != nil {
			return err
		}
		_, err = w.resources.GetByID(ctx, strings.Replace(w.vaultID(), w.id.SubscriptionID, other.SubscriptionID, 1), "2024-11-01", nil)
		return err
	}},
	{name: "create a vault whose name is taken", status: 409, text: "VaultAlreadyExists", do: func(ctx context.Context, w *world) error {
		if _, err := w.groups.CreateOrUpdate(ctx, "rg-two", armresources.ResourceGroup{Location: to("westeurope")}, nil); err != nil {
			return err
		}
		_, err := w.vaults.BeginCreateOrUpdate(ctx, "rg-two", vault, w.vaultParameters(), nil)
		return err
	}},
}

var secrets = []operation{
	{name: "set a secret", do: func(ctx context.Context, w *world) error {
		_, err := w.secrets.SetSecret(ctx, "one", azsecrets.SetSecretParameters{Value: to("v1"), ContentType: to("text/plain"), Tags: map[string]*string{"a": to("b")}}, nil)
		return err
	}},
	{name: "get a secret", do: func(ctx context.Context, w *world) error {
		got, err := w.secrets.GetSecret(ctx, "one", "", nil)
		if err == nil && (*got.Value != "v1" || *got.ContentType != "text/plain" || *got.Tags["a"] != "b") {
			return errors.New("the secret differs from what was set")
		}
		return err
	}},
	{name: "get an absent secret", status: 404, text: "SecretNotFound", do: func(ctx context.Context, w *world) error {
		_, err := w.secrets.GetSecret(ctx, "absent", "", nil)
		return err
	}},
	{name: "set a secret of more than 25 KB", status: 400, text: "BadParameter", do: func(ctx context.Context, w *world) error {
		_, err := w.secrets.SetSecret(ctx, "large", azsecrets.SetSecretParameters{Value: to(strings.Repeat("x", 26_000))}, nil)
		return err
	}},
	{name: "set a secret with a bad name", status: 400, text: "BadParameter", do: func(ctx context.Context, w *world) error {
		_, err := w.secrets.SetSecret(ctx, "under_score", azsecrets.SetSecretParameters{Value: to("v")}, nil)
		return err
	}},
	{name: "disable a secret", do: func(ctx context.Context, w *world) error {
		_, err := w.secrets.UpdateSecretProperties(ctx, "one", "", azsecrets.UpdateSecretPropertiesParameters{SecretAttributes: &azsecrets.SecretAttributes{Enabled: to(false)}}, nil)
		return err
	}},
	{name: "get a disabled secret", status: 403, text: "SecretDisabled", do: func(ctx context.Context, w *world) error {
		_, err := w.secrets.GetSecret(ctx, "one", "", nil)
		return err
	}},
	{name: "list 60 secrets by pages", do: func(ctx context.Context, w *world) error {
		for i := range 59 {
			name := "many-" + string(rune('a'+i/26)) + string(rune('a'+i%26))
			if _, err := w.secrets.SetSecret(ctx, name, azsecrets.SetSecretParameters{Value: to("v")}, nil); err != nil {
				return err
			}
		}
		return counts(ctx, 60, w.secrets.NewListSecretPropertiesPager(nil), func(p azsecrets.ListSecretPropertiesResponse) int { return len(p.Value) })
	}},
	{name: "delete a secret", do: func(ctx context.Context, w *world) error {
		_, err := w.secrets.DeleteSecret(ctx, "one", nil)
		return err
	}},
	{name: "set a soft-deleted name", status: 409, text: "ObjectIsDeletedButRecoverable", do: func(ctx context.Context, w *world) error {
		_, err := w.secrets.SetSecret(ctx, "one", azsecrets.SetSecretParameters{Value: to("v2")}, nil)
		return err
	}},
	{name: "recover a secret", do: func(ctx context.Context, w *world) error {
		_, err := w.secrets.RecoverDeletedSecret(ctx, "one", nil)
		return err
	}},
	{name: "a vault that is not there", text: "kv-not-there", do: func(ctx context.Context, w *world) error {
		client, err := azsecrets.NewClient(otherURL, w.cred, &azsecrets.ClientOptions{ClientOptions: w.options})
		if err != nil {
			return err
		}
		_, err = client.GetSecret(ctx, "one", "", nil)
		return err
	}},
}

var keys = []operation{
	{name: "create an EC key", do: func(ctx context.Context, w *world) error {
		_, err := w.keys.CreateKey(ctx, "ec", azkeys.CreateKeyParameters{Kty: to(azkeys.KeyTypeEC), Curve: to(azkeys.CurveNameP256)}, nil)
		return err
	}},
	{name: "create an RSA key", do: func(ctx context.Context, w *world) error {
		got, err := w.keys.CreateKey(ctx, "rsa", azkeys.CreateKeyParameters{Kty: to(azkeys.KeyTypeRSA), KeySize: to(int32(2048))}, nil)
		if err == nil && (len(got.Key.N) != 256 || got.Key.D != nil) {
			return errors.New("the answer is not the public half of an RSA-2048 key")
		}
		return err
	}},
	{name: "create an RSA key of an odd size", status: 400, text: "BadParameter", do: func(ctx context.Context, w *world) error {
		_, err := w.keys.CreateKey(ctx, "odd", azkeys.CreateKeyParameters{Kty: to(azkeys.KeyTypeRSA), KeySize: to(int32(1000))}, nil)
		return err
	}},
	{name: "get an absent key", status: 404, text: "KeyNotFound", do: func(ctx context.Context, w *world) error {
		_, err := w.keys.GetKey(ctx, "absent", "", nil)
		return err
	}},
	{name: "sign and verify", do: func(ctx context.Context, w *world) error {
		digest := make([]byte, 32)
		signed, err := w.keys.Sign(ctx, "ec", "", azkeys.SignParameters{Algorithm: to(azkeys.SignatureAlgorithmES256), Value: digest}, nil)
		if err != nil {
			return err
		}
		ok, err := w.keys.Verify(ctx, "ec", "", azkeys.VerifyParameters{Algorithm: to(azkeys.SignatureAlgorithmES256), Digest: digest, Signature: signed.Result}, nil)
		if err == nil && !*ok.Value {
			return errors.New("the signature does not verify")
		}
		return err
	}},
	{name: "set a rotation policy", do: func(ctx context.Context, w *world) error {
		_, err := w.keys.UpdateKeyRotationPolicy(ctx, "rsa", azkeys.KeyRotationPolicy{
			Attributes:      &azkeys.KeyRotationPolicyAttributes{ExpiryTime: to("P2Y")},
			LifetimeActions: []*azkeys.LifetimeAction{{Action: &azkeys.LifetimeActionType{Type: to(azkeys.KeyRotationPolicyActionRotate)}, Trigger: &azkeys.LifetimeActionTrigger{TimeAfterCreate: to("P18M")}}},
		}, nil)
		return err
	}},
	{name: "restore a backup that is none", status: 400, text: "BadParameter", do: func(ctx context.Context, w *world) error {
		_, err := w.keys.RestoreKey(ctx, azkeys.RestoreKeyParameters{KeyBackup: []byte("not a backup")}, nil)
		return err
	}},
}

var certificates = []operation{
	{name: "create a certificate", do: func(ctx context.Context, w *world) error {
		_, err := w.certs.CreateCertificate(ctx, "tls", azcertificates.CreateCertificateParameters{CertificatePolicy: selfSigned()}, nil)
		return err
	}},
	{name: "wait for a certificate", do: func(ctx context.Context, w *world) error {
		for {
			op, err := w.certs.GetCertificateOperation(ctx, "tls", nil)
			if err != nil || *op.Status == "completed" {
				return err
			}
		}
	}},
	{name: "read the certificate's secret", do: func(ctx context.Context, w *world) error {
		got, err := w.secrets.GetSecret(ctx, "tls", "", nil)
		if err == nil && (got.Managed == nil || !*got.Managed || *got.Value == "") {
			return errors.New("the certificate's secret is not managed")
		}
		return err
	}},
	{name: "get an absent certificate", status: 404, text: "CertificateNotFound", do: func(ctx context.Context, w *world) error {
		_, err := w.certs.GetCertificate(ctx, "absent", "", nil)
		return err
	}},
	{name: "import what is no certificate", status: 400, text: "BadParameter", do: func(ctx context.Context, w *world) error {
		_, err := w.certs.ImportCertificate(ctx, "junk", azcertificates.ImportCertificateParameters{Base64EncodedCertificate: to("AAAA")}, nil)
		return err
	}},
	{name: "create with an issuer that is not there", status: 404, text: "CertificateIssuerNotFound", do: func(ctx context.Context, w *world) error {
		policy := selfSigned()
		policy.IssuerParameters.Name = to("no-such-issuer")
		_, err := w.certs.CreateCertificate(ctx, "issued", azcertificates.CreateCertificateParameters{CertificatePolicy: policy}, nil)
		return err
	}},
}

func selfSigned() *azcertificates.CertificatePolicy {
	return &azcertificates.CertificatePolicy{
		IssuerParameters:          &azcertificates.IssuerParameters{Name: to("Self")},
		KeyProperties:             &azcertificates.KeyProperties{KeyType: to(azcertificates.KeyTypeEC), Curve: to(azcertificates.CurveNameP256), Exportable: to(true)},
		SecretProperties:          &azcertificates.SecretProperties{ContentType: to("application/x-pem-file")},
		X509CertificateProperties: &azcertificates.X509CertificateProperties{Subject: to("CN=sdk.example"), ValidityInMonths: to(int32(12))},
	}
}

func to[T any](v T) *T { return &v }

func (w *world) vaultID() string {
	return "/subscriptions/" + w.id.SubscriptionID + "/resourceGroups/" + group + "/providers/" + vaultType + "/" + vault
}
