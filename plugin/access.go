package plugin

// Caller is the principal that a side signs in as, as its access token says.
type Caller struct {
	TenantID string
	ObjectID string // of the user or of the service principal, in that tenant
	AppID    string // of the application: the caller itself, or what a user signed in through
	User     bool   // a person; otherwise the application itself
	// Groups are the object IDs of the caller's groups, where the token lists them all;
	// nil if they are not known.
	Groups []string
}

// Access is what an AccessChecker found out about one resource.
type Access struct {
	// By names what decides about access at this resource, in the plural: "access
	// policies". It is "" where Azure RBAC alone decides; nothing else is set then.
	By string
	// Missing are the permissions that the caller surely lacks, as Permissions names them.
	Missing []Permission
	// Unknown are those of which nobody can tell before the attempt, and Why says what
	// stands in the way.
	Unknown []Permission
	Why     string
	// Grant are commands that give the caller everything that the mode needs. Each is a
	// program with its arguments, unquoted.
	Grant [][]string
}
