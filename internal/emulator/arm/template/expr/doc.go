// Package expr is the language of ARM template expressions: what stands between "[" and
// "]" in a template. It parses and evaluates; what the template and Azure know comes from
// an Env.
//
// The grammar, after "Syntax and expressions in ARM templates":
//
//	expression = primary { "." name | ".?" name | "[" expression "]" | "[?" expression "]" }
//	primary    = string | number | name [ "." name ] "(" [ expression { "," expression } ] ")"
//	string     = "'" { any character but ' | "''" } "'"
//	number     = [ "-" ] digits
//	name       = letter or _ { letter | digit | _ | $ }
package expr
