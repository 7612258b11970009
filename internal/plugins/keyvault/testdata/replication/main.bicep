@description('Account at the certificate authority of the issuer digi.')
param issuer_digi_account string

@description('Password of that account.')
@secure()
param issuer_digi_password string

@description('Value of the secret db-password.')
@secure()
param secret_db_password string

@description('Value of the secret off.')
@secure()
param secret_off string

@description('The certificate tls with its private key, as PFX in base64 or as PEM.')
@secure()
param certificate_tls string

// The certificate issuer digi. Azure has no ARM type for issuers.

// The certificate contacts. Azure has no ARM type for them.

resource kv_fabrikam 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: 'kv-fabrikam'
}

resource db_password 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: kv_fabrikam
  name: 'db-password'
  tags: {
    'cost center': 'b'
    owner: 'a'
  }
  properties: {
    value: secret_db_password
    contentType: 'text/plain'
    attributes: {
      enabled: true
      nbf: 1704164645
      exp: 1893553445
    }
  }
}

// Disabled at the source. Terraform's provider has no attribute for that; disable it after the deployment.
resource off 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: kv_fabrikam
  name: 'off'
  properties: {
    value: secret_off
    attributes: {
      enabled: false
    }
  }
}

// A new key of the same shape: key material cannot leave Azure.
resource ec 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  parent: kv_fabrikam
  name: 'ec'
  properties: {
    kty: 'EC'
    curveName: 'P-384'
    keyOps: [
      'sign'
      'verify'
    ]
    attributes: {
      enabled: true
    }
    rotationPolicy: {
      attributes: {
        expiryTime: 'P2Y'
      }
      lifetimeActions: [
        {
          action: {
            type: 'rotate'
          }
          trigger: {
            timeAfterCreate: 'P90D'
          }
        }
        {
          action: {
            type: 'notify'
          }
          trigger: {
            timeBeforeExpiry: 'P30D'
          }
        }
      ]
    }
  }
}

// A new key of the same shape: key material cannot leave Azure.
resource rsa 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  parent: kv_fabrikam
  name: 'rsa'
  tags: {
    a: 'b'
  }
  properties: {
    kty: 'RSA'
    keySize: 2048
    keyOps: [
      'sign'
      'verify'
    ]
    attributes: {
      enabled: true
      exp: 2000000000
    }
  }
}

// The certificate fixed, issued anew from its policy. Azure has no ARM type for certificates.

// The certificate tls, imported. Azure has no ARM type for certificates.
