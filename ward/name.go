package ward

import "strings"

// ProductName is a product as people say it: vendor and product, the vendor once ("Microsoft" and "Microsoft SharePoint" is
// "Microsoft SharePoint").
func ProductName(vendor, product string) string {
	vendor, product = strings.TrimSpace(vendor), strings.TrimSpace(product)
	brand, _, _ := strings.Cut(vendor, " ")
	first, _, _ := strings.Cut(product, " ")
	if vendor == "" || (product != "" && strings.EqualFold(brand, first)) {
		return product
	}
	return strings.TrimSpace(vendor + " " + product)
}
