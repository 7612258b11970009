// Package graphquery runs the queries of Azure Resource Graph: the part of the Kusto Query
// Language that inventories ask with, over tables of rows. It follows "Understanding the
// Azure Resource Graph query language" and the Kusto reference.
//
// A query is a table and operators between pipes: where, extend, project, project-away,
// project-keep, project-rename, order (sort) by, take (limit), top, distinct, count and
// summarize. Expressions have comparisons with and without case, in, has, contains,
// startswith, endswith, matches regex, between parentheses and, or and not, arithmetic,
// paths (properties.sku.name, tags['env'], zones[0]) and the functions of this package.
// Names of columns, unlike those of members, must have their true case.
//
// Not there: join, union, mv-expand, let, parse. They are refused as a query that Azure
// does not understand is.
package graphquery
