package loopback

import (
	"net/netip"
	"net/url"
	"strings"
)

// domains are those under which Azure and its sign-in live, in the public, US Government
// and China clouds (ARM metadata documents of the three clouds).
var domains = []string{
	"azure.com", "azure.net", "windows.net", "microsoftonline.com", "azurecr.io", "azurewebsites.net",
	"azure-api.net", "azconfig.io", "azmk8s.io", "azurefd.net", "azureedge.net", "cloudapp.net",
	"login.microsoft.com", "graph.microsoft.com",
	"azure.us", "usgovcloudapi.net", "microsoftonline.us", "azurecr.us", "azurewebsites.us", "azure-api.us", "azconfig.azure.us",
	"graph.microsoft.us",
	"azure.cn", "chinacloudapi.cn", "microsoftonline.cn", "azurecr.cn", "chinacloudsites.cn", "azure-api.cn",
}

// IsAzure tells whether a host is an Azure name: one of Azure's domains or below it. The
// emulator reaches and answers no other. host is as in a URL, without a port.
func IsAzure(host string) bool {
	host = Canonical(host)
	for _, d := range domains {
		if host == d || strings.HasSuffix(host, "."+d) {
			return true
		}
	}
	return false
}

// Canonical returns the host of "host", "host:port", "v6" or "[v6]:port" in lower case and
// without a final dot.
func Canonical(hostport string) string {
	if ip, err := netip.ParseAddr(hostport); err == nil {
		return ip.String()
	}
	u := url.URL{Host: hostport}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

// IsLoopback tells whether a host is "localhost" or an address of the loopback interface.
func IsLoopback(host string) bool {
	host = Canonical(host)
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
