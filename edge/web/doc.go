// Package web shows the product to people: pages rendered on the server, which read and answer without JavaScript.
//
// In come a request and a Page (a status, a title, the name of a page template and its data); out goes one complete HTML
// document. Pages are put together from components: small structs such as Tag, Table or TileMap, each with a template of
// its own in templates/kit, shown with {{view .X}}. The structures are those of the NHS design system; the look is neutral,
// with the operator's name and one accent colour.
//
// It never writes HTML by hand, never loads anything from another host, never puts a style or a script into a page (the
// content security policy refuses both), and never decides what a person may see: it shows what it is given.
package web
