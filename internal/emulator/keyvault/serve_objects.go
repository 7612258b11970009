package keyvault

import (
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/jwk"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/throttle"
	"github.com/azure-tenant-grapher/atg/internal/emulator/keyvault/vault"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// ok answers a result or passes the error on.
func ok[T any](v T, err *wire.Error) (int, any, *wire.Error) {
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, v, nil
}

func noContent(err *wire.Error) (int, any, *wire.Error) { return http.StatusNoContent, nil, err }

// withBody reads the body into an In and answers what do makes of it.
func withBody[In, Out any](c *call, do func(In) (Out, *wire.Error)) (int, any, *wire.Error) {
	var in In
	if err := c.into(&in); err != nil {
		return 0, nil, err
	}
	return ok(do(in))
}

// paged answers a page of a list.
func paged[T any](c *call, list func(after string, n int) vault.Page[T]) (int, any, *wire.Error) {
	after, n, err := c.paging()
	if err != nil {
		return 0, nil, err
	}
	p := list(after, n)
	return c.page(p.Items, p.Marker)
}

func creation(*call) throttle.Class { return throttle.Creation }

// keyCreation tells software keys from HSM keys before the body is read in earnest.
func keyCreation(c *call) throttle.Class {
	var in struct {
		Kty string `json:"kty"`
	}
	if c.into(&in) == nil && jwk.IsHSM(in.Kty) {
		return throttle.HSMKey
	}
	return throttle.SoftwareKey
}

func keyRotation(c *call) throttle.Class {
	if jwk.IsHSM(c.vault.data.KeyShape(c.name, "").Kty) {
		return throttle.HSMKey
	}
	return throttle.SoftwareKey
}

func listSecrets(c *call) (int, any, *wire.Error) { return paged(c, c.vault.data.ListSecrets) }

func listDeletedSecrets(c *call) (int, any, *wire.Error) {
	return paged(c, c.vault.data.ListDeletedSecrets)
}

func listSecretVersions(c *call) (int, any, *wire.Error) {
	return paged(c, func(after string, n int) vault.Page[vault.Secret] {
		return c.vault.data.ListSecretVersions(c.name, after, n)
	})
}

func setSecret(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in vault.SecretIn) (vault.Secret, *wire.Error) { return c.vault.data.SetSecret(c.name, in) })
}

func getSecret(c *call) (int, any, *wire.Error) {
	out, lineage := "", c.atLeast("2025-06-01-preview")
	if lineage {
		out = c.query.Get("outContentType")
	}
	return ok(c.vault.data.GetSecret(c.name, c.version, out, lineage))
}

func updateSecret(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in vault.SecretIn) (vault.Secret, *wire.Error) {
		return c.vault.data.UpdateSecret(c.name, c.version, in)
	})
}

func deleteSecret(c *call) (int, any, *wire.Error) { return ok(c.vault.data.DeleteSecret(c.name)) }

func getDeletedSecret(c *call) (int, any, *wire.Error) {
	return ok(c.vault.data.GetDeletedSecret(c.name))
}

func recoverSecret(c *call) (int, any, *wire.Error) { return ok(c.vault.data.RecoverSecret(c.name)) }

func purgeSecret(c *call) (int, any, *wire.Error) { return noContent(c.vault.data.PurgeSecret(c.name)) }

func backupSecret(c *call) (int, any, *wire.Error) { return ok(c.vault.data.BackupSecret(c.name)) }

func restoreSecret(c *call) (int, any, *wire.Error) { return withBody(c, c.vault.data.RestoreSecret) }

func listKeys(c *call) (int, any, *wire.Error) { return paged(c, c.vault.data.ListKeys) }

func listDeletedKeys(c *call) (int, any, *wire.Error) { return paged(c, c.vault.data.ListDeletedKeys) }

func listKeyVersions(c *call) (int, any, *wire.Error) {
	return paged(c, func(after string, n int) vault.Page[vault.KeyItem] {
		return c.vault.data.ListKeyVersions(c.name, after, n)
	})
}

func createKey(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in vault.KeyIn) (vault.Key, *wire.Error) { return c.vault.data.CreateKey(c.name, in) })
}

func importKey(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in vault.KeyIn) (vault.Key, *wire.Error) { return c.vault.data.ImportKey(c.name, in) })
}

func getKey(c *call) (int, any, *wire.Error) { return ok(c.vault.data.GetKey(c.name, c.version)) }

func updateKey(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in vault.KeyIn) (vault.Key, *wire.Error) { return c.vault.data.UpdateKey(c.name, c.version, in) })
}

func deleteKey(c *call) (int, any, *wire.Error) { return ok(c.vault.data.DeleteKey(c.name)) }

func getDeletedKey(c *call) (int, any, *wire.Error) { return ok(c.vault.data.GetDeletedKey(c.name)) }

func recoverKey(c *call) (int, any, *wire.Error) { return ok(c.vault.data.RecoverKey(c.name)) }

func purgeKey(c *call) (int, any, *wire.Error) { return noContent(c.vault.data.PurgeKey(c.name)) }

func backupKey(c *call) (int, any, *wire.Error) { return ok(c.vault.data.BackupKey(c.name)) }

func restoreKey(c *call) (int, any, *wire.Error) { return withBody(c, c.vault.data.RestoreKey) }

func rotateKey(c *call) (int, any, *wire.Error) { return ok(c.vault.data.RotateKey(c.name)) }

func releaseKey(c *call) (int, any, *wire.Error) {
	return 0, nil, c.vault.data.ReleaseKey(c.name, c.version)
}

func getRotationPolicy(c *call) (int, any, *wire.Error) {
	return ok(c.vault.data.GetRotationPolicy(c.name))
}

func setRotationPolicy(c *call) (int, any, *wire.Error) {
	return withBody(c, func(in vault.RotationPolicy) (vault.RotationPolicy, *wire.Error) {
		return c.vault.data.SetRotationPolicy(c.name, in)
	})
}

func useKey(operation string) func(*call) (int, any, *wire.Error) {
	return func(c *call) (int, any, *wire.Error) {
		return withBody(c, func(in vault.UseIn) (any, *wire.Error) { return c.vault.data.Use(operation, c.name, c.version, in) })
	}
}
