// Package function holds the functions of ARM template expressions that work on values
// alone: they ask neither the template nor Azure. What each takes and gives follows
// "ARM template functions" in Microsoft's documentation
// (learn.microsoft.com/azure/azure-resource-manager/templates/template-functions).
//
// A value is what JSON has, with whole numbers as int64: nil, bool, int64, float64,
// string, []any, map[string]any. No function changes its arguments.
package function
