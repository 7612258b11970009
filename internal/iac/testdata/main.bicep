@description('Value of the secret db-password, it\'s "secret".')
@secure()
param db_password string

@description('Another <one>.')
param again string

resource kv_prod 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: 'kv-prod'
}

// A secret.
// Its value is given at deployment.
resource db_password_2 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: kv_prod
  name: 'db-password'
  tags: {
    owner: '\${it\'s}'
    'cost center': 'tab\tnew\nline\r\u{1}\\'
  }
  properties: {
    value: db_password
    contentType: '[not an expression]'
    attributes: {
      enabled: true
      exp: 4102444800
    }
    empty: {}
    none: []
  }
}

resource db_password_3 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: kv_prod
  name: 'db-password2'
  properties: {
    value: again
  }
}

resource sign 'Microsoft.KeyVault/vaults/keys@2023-07-01' = {
  parent: kv_prod
  name: 'sign'
  properties: {
    keySize: 2048
    keyOps: [
      'sign'
      {
        x: false
      }
      [
        'y'
      ]
    ]
  }
}

// The certificate tls has no type in this language.

resource _2_storage_ 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: 'stprod'
  location: 'westeurope'
}

// Below an account that this file declares.
resource container 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: _2_storage_
  name: 'default'
}
