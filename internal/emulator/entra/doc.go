// Package entra is the Microsoft Entra ID of the emulator: one token authority for any
// number of tenants, under the names that clients know (login.microsoftonline.com, …).
//
// It answers instance discovery, OpenID metadata and keys of both protocol versions, user
// realm, and the token endpoint for applications: client credentials with a secret (in
// the form or as HTTP Basic) or with a certificate assertion. There are no users, so
// that every other flow is refused with the AADSTS error that Entra gives to an
// application not fit for it.
//
// Access tokens are those that Entra issues for Azure's own services: version 1.0,
// RS256, issuer https://sts.windows.net/{tenant}/. They can expire (the clock moves), be
// revoked (RevokeTokens, with the claims challenge of continuous access evaluation), and
// die with their application.
//
// Sources: Microsoft identity platform documentation ("OAuth 2.0 client credentials
// flow", "Access token claims reference", "Microsoft Entra authentication and authorization
// error codes"). The order in which Entra checks a bad request in several ways is not
// documented; here it is tenant, application, credential, scope, resource.
package entra
