package cloud

// EndpointVersions are the api-versions of /metadata/endpoints that clients ask for.
var EndpointVersions = []string{"2015-01-01", "2018-05-01", "2019-05-01", "2020-06-01", "2022-09-01"}

// Endpoints is what GET /metadata/endpoints answers, for which no token is needed: where
// the services of this cloud are. Three forms exist: the first described one cloud, the
// middle ones list clouds, the newest describes one again. Azure's lists also have its
// sovereign clouds; the emulator has none. ok is false for an unknown api-version.
func Endpoints(version string) (answer any, ok bool) {
	switch version {
	case "2015-01-01", "2018-05-01":
		return map[string]any{
			"galleryEndpoint": "https://gallery.azure.com/", "graphEndpoint": "https://graph.windows.net/", "portalEndpoint": "https://portal.azure.com/",
			"authentication": map[string]any{"loginEndpoint": "https://login.windows.net/", "audiences": cloudAudiences},
		}, true
	case "2019-05-01", "2020-06-01":
		return []any{describe(false)}, true
	case "2022-09-01":
		return describe(true), true
	}
	return nil, false
}

var cloudAudiences = []string{"https://management.core.windows.net/", "https://management.azure.com/"}

// describe describes Azure's public cloud; newest adds what came with 2022-09-01.
func describe(newest bool) map[string]any {
	suffixes := map[string]any{
		"azureDataLakeStoreFileSystem": "azuredatalakestore.net", "acrLoginServer": "azurecr.io",
		"sqlServerHostname": "database.windows.net", "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
		"keyVaultDns": "vault.azure.net", "storage": "core.windows.net", "azureFrontDoorEndpointSuffix": "azurefd.net",
	}
	out := map[string]any{
		"name": "AzureCloud", "portal": "https://portal.azure.com", "media": "https://rest.media.azure.net",
		"authentication": map[string]any{
			"loginEndpoint": "https://login.microsoftonline.com/", "audiences": cloudAudiences,
			"tenant": "common", "identityProvider": "AAD",
		},
		"graphAudience": "https://graph.windows.net/", "graph": "https://graph.windows.net/",
		"suffixes": suffixes, "batch": "https://batch.core.windows.net/", "resourceManager": "https://management.azure.com/",
		"vmImageAliasDoc":         "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/quickstart-templates/aliases.json",
		"activeDirectoryDataLake": "https://datalake.azure.net/", "sqlManagement": "https://management.core.windows.net:8443/",
		"gallery": "https://gallery.azure.com/",
	}
	if !newest {
		return out
	}
	for name, host := range map[string]string{
		"storageSyncEndpointSuffix": "afs.azure.net", "mhsmDns": "managedhsm.azure.net",
		"mysqlServerEndpoint": "mysql.database.azure.com", "postgresqlServerEndpoint": "postgres.database.azure.com",
		"mariadbServerEndpoint": "mariadb.database.azure.com", "synapseAnalytics": "dev.azuresynapse.net",
		"attestationEndpoint": "attest.azure.net",
	} {
		suffixes[name] = host
	}
	for name, url := range map[string]string{
		"microsoftGraphResourceId": "https://graph.microsoft.com/", "appInsightsResourceId": "https://api.applicationinsights.io",
		"appInsightsTelemetryChannelResourceId": "https://dc.applicationinsights.azure.com/v2/track",
		"attestationResourceId":                 "https://attest.azure.net", "synapseAnalyticsResourceId": "https://dev.azuresynapse.net",
		"logAnalyticsResourceId": "https://api.loganalytics.io", "ossrDbmsResourceId": "https://ossrdbms-aad.database.windows.net",
	} {
		out[name] = url
	}
	return out
}
