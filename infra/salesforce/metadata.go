// Package salesforce holds what Threadline adds to a Salesforce org, in the source format of the sf command; README.md
// says how to deploy it. The simulated Salesforce deploys the same files, so that a field which the connector writes and
// nobody may see is found in a test.
package salesforce

import "embed"

// Source is the objects and permission sets, below force-app/main/default.
//
//go:embed force-app/main/default/objects force-app/main/default/permissionsets
var Source embed.FS
