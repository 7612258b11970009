package cloud

import azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

// entry is a cloud that is known by heart.
type entry struct {
	name     string
	config   azcloud.Configuration // of the SDK
	signIn   []string              // hosts of its sign-in service
	document document
}

// known are the clouds that need no document. Sources, read in November 2026: the metadata
// documents of the three clouds as Azure's SDK for Python keeps them
// (azure-core, azure/core/configuration, api-version 2019-05-01) and, for what came into
// the documents later, the Azure CLI's table of clouds (azure-cli-core 2.91.0,
// azure/cli/core/cloud.py). Sign-in hosts:
// https://login.microsoftonline.com/common/discovery/instance.
var known = []entry{
	{
		Public, azcloud.AzurePublic,
		[]string{"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"},
		document{
			Name: "AzureCloud", Portal: "https://portal.azure.com", ResourceManager: "https://management.azure.com/",
			Authentication: authentication{"https://login.microsoftonline.com/", []string{"https://management.core.windows.net/", "https://management.azure.com/"}, "AAD"},
			Suffixes: suffixes{
				"vault.azure.net", "managedhsm.azure.net", "core.windows.net", "azurecr.io", "database.windows.net",
				"mysql.database.azure.com", "postgres.database.azure.com", "dev.azuresynapse.net",
			},
			Batch: "https://batch.core.windows.net/", Graph: "https://graph.microsoft.com/", LogAnalytics: "https://api.loganalytics.io",
			Database: "https://ossrdbms-aad.database.windows.net", Synapse: "https://dev.azuresynapse.net",
		},
	},
	{
		"usgovernment", azcloud.AzureGovernment,
		[]string{"login.microsoftonline.us", "login.usgovcloudapi.net"},
		document{
			Name: "AzureUSGovernment", Portal: "https://portal.azure.us", ResourceManager: "https://management.usgovcloudapi.net",
			// The document's audience lacks the slash that the SDK's has; both are taken.
			Authentication: authentication{"https://login.microsoftonline.us", []string{"https://management.core.usgovcloudapi.net/", "https://management.usgovcloudapi.net"}, "AAD"},
			Suffixes: suffixes{
				"vault.usgovcloudapi.net", "managedhsm.usgovcloudapi.net", "core.usgovcloudapi.net", "azurecr.us", "database.usgovcloudapi.net",
				"mysql.database.usgovcloudapi.net", "postgres.database.usgovcloudapi.net", "dev.azuresynapse.usgovcloudapi.net",
			},
			Batch: "https://batch.core.usgovcloudapi.net/", Graph: "https://graph.microsoft.us/", LogAnalytics: "https://api.loganalytics.us",
			Database: "https://ossrdbms-aad.database.usgovcloudapi.net", Synapse: "https://dev.azuresynapse.usgovcloudapi.net",
		},
	},
	{
		"china", azcloud.AzureChina,
		[]string{"login.chinacloudapi.cn", "login.partner.microsoftonline.cn"},
		document{
			Name: "AzureChinaCloud", Portal: "https://portal.azure.cn", ResourceManager: "https://management.chinacloudapi.cn",
			Authentication: authentication{"https://login.chinacloudapi.cn", []string{"https://management.core.chinacloudapi.cn/", "https://management.chinacloudapi.cn"}, "AAD"},
			Suffixes: suffixes{
				"vault.azure.cn", "managedhsm.azure.cn", "core.chinacloudapi.cn", "azurecr.cn", "database.chinacloudapi.cn",
				"mysql.database.chinacloudapi.cn", "postgres.database.chinacloudapi.cn", "dev.azuresynapse.azure.cn",
			},
			Batch: "https://batch.chinacloudapi.cn/", Graph: "https://microsoftgraph.chinacloudapi.cn", LogAnalytics: "https://api.loganalytics.azure.cn",
			Database: "https://ossrdbms-aad.database.chinacloudapi.cn", Synapse: "https://dev.azuresynapse.azure.cn",
		},
	},
}
