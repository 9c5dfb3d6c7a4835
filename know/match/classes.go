package match

import (
	"context"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// seenOn are the classes of assets on which well-known products run, as "vendor", "product" pairs: public facts. A product
// that is not here is looked for where any estate has ever shown it.
var seenOn = map[ward.Class][][2]string{
	ward.MobileManagement: {
		{"Ivanti", "Endpoint Manager Mobile"}, {"Ivanti", "Sentry"}, {"VMware", "Workspace ONE UEM"}, {"Jamf", "Jamf Pro"}, {"BlackBerry", "UEM"},
		{"Sophos", "Mobile"}, {"Citrix", "XenMobile Server"}, {"Citrix", "Endpoint Management"},
	},
	ward.Appliance: {
		{"Ivanti", "Connect Secure"}, {"Ivanti", "Policy Secure"}, {"Citrix", "NetScaler Application Delivery Controller"}, {"Citrix", "NetScaler Gateway"},
		{"Fortinet", "FortiOS"}, {"Fortinet", "FortiProxy"}, {"Fortinet", "FortiWeb"}, {"Fortinet", "FortiManager"}, {"Fortinet", "FortiMail"}, {"Palo Alto Networks", "PAN-OS"},
		{"Cisco", "Adaptive Security Appliance Software"}, {"Cisco", "Firepower Threat Defense"}, {"Cisco", "IOS XE"}, {"Cisco", "IOS"}, {"Cisco", "NX-OS"},
		{"F5", "BIG-IP"}, {"F5", "BIG-IP Access Policy Manager"}, {"SonicWall", "SonicOS"}, {"SonicWall", "SMA1000"}, {"SonicWall", "SMA100"},
		{"Check Point", "Quantum Security Gateway"}, {"Juniper", "Junos"}, {"Barracuda", "Email Security Gateway"}, {"Sophos", "Firewall"}, {"Zyxel", "USG FLEX"},
	},
	ward.Server: {
		{"Microsoft", "Exchange Server"}, {"Microsoft", "SharePoint Server"}, {"Microsoft", "SQL Server"}, {"VMware", "vCenter Server"}, {"VMware", "ESXi"},
		{"Progress", "MOVEit Transfer"}, {"Fortra", "GoAnywhere MFT"}, {"Atlassian", "Confluence Server"}, {"Atlassian", "Confluence Data Center"}, {"Veeam", "Backup & Replication"},
		{"ConnectWise", "ScreenConnect"}, {"Apache", "HTTP Server"}, {"Apache", "Tomcat"}, {"Oracle", "WebLogic Server"}, {"Ivanti", "Endpoint Manager"},
		{"Zoho", "ServiceDesk Plus"}, {"Mirth", "Connect"}, {"NextGen", "Mirth Connect"},
	},
	ward.Workstation: {{"Microsoft", "Office"}, {"Adobe", "Acrobat Reader"}, {"Adobe", "Acrobat"}, {"Zoom", "Workplace"}},
}

// alsoServers run on workstations and servers alike.
var alsoServers = [][2]string{
	{"Google", "Chrome"}, {"Mozilla", "Firefox"}, {"Microsoft", "Edge"}, {"7-Zip", "7-Zip"}, {"RARLAB", "WinRAR"}, {"Oracle", "Java SE"}, {"Citrix", "Workspace"},
	{"TeamViewer", "TeamViewer"}, {"AnyDesk", "AnyDesk"},
}

// classTable is seenOn by product key.
var classTable = func() map[string][]ward.Class {
	table := map[string][]ward.Class{}
	for _, class := range ward.Classes {
		for _, name := range seenOn[class] {
			key := know.ProductKey(name[0], name[1])
			table[key] = append(table[key], class)
		}
	}
	for _, name := range alsoServers {
		table[know.ProductKey(name[0], name[1])] = []ward.Class{ward.Workstation, ward.Server}
	}
	return table
}()

// ClassesOf lists the classes of assets on which a product would be seen: by a table of well-known products, else where any
// estate ever showed it. It is empty when nobody can tell.
func (m *Matcher) ClassesOf(ctx context.Context, vendor, product string) (classes []ward.Class, err error) {
	err = m.store.View(ctx, func(tx *store.Tx) error {
		classes, err = classesOf(ctx, tx, know.NameKeys(vendor, product))
		return err
	})
	return classes, err
}

func classesOf(ctx context.Context, tx *store.Tx, keys []string) ([]ward.Class, error) {
	var known []ward.Class
	for _, class := range ward.Classes {
		for _, key := range keys {
			for _, listed := range classTable[key] {
				if listed == class && (len(known) == 0 || known[len(known)-1] != class) {
					known = append(known, class)
				}
			}
		}
	}
	if len(known) > 0 {
		return known, nil
	}
	return tx.ClassesSeen(ctx, keys)
}
