package nvd

import (
	"wardwatch/know"
	"wardwatch/know/feeds"
)

// walk is read without the standard decoder; false when a record is not of the shape that it knows.
func walk(w *feeds.Walker, list string, raw []byte) ([]know.Report, bool) {
	w.Start(raw)
	var reports []know.Report
	var err error
	switch list {
	case "CVE_Items":
		var rec record11
		trees := walk11(w, &rec)
		if !w.End() {
			return nil, false
		}
		reports, err = rec.report(trees)
	case "vulnerabilities":
		var rec record
		var trees []know.Node
		w.Member("cve", func() { trees = walk20(w, &rec) })
		if !w.End() {
			return nil, false
		}
		reports, err = rec.report(trees)
	default:
		var rec record
		trees := walk20(w, &rec)
		if !w.End() {
			return nil, false
		}
		reports, err = rec.report(trees)
	}
	return reports, err == nil
}

// walk11 takes an element of a 1.1 feed.
func walk11(w *feeds.Walker, rec *record11) (trees []know.Node) {
	w.Object(func(name []byte) {
		switch string(name) {
		case "cve":
			w.Object(func(name []byte) {
				switch string(name) {
				case "CVE_data_meta":
					w.Member("ID", func() { rec.CVE.Meta.ID = w.Text() })
				case "references":
					w.Member("reference_data", func() { rec.CVE.References.Data = links(w) })
				case "description":
					w.Member("description_data", func() { rec.CVE.Description.Data = texts(w) })
				default:
					w.Skip()
				}
			})
		case "configurations":
			w.Member("nodes", func() { trees = w.Trees() })
		case "impact":
			w.Object(func(name []byte) {
				switch string(name) {
				case "baseMetricV3":
					w.Member("cvssV3", func() { scored(w, &rec.Impact.V3.Data) })
				case "baseMetricV2":
					w.Member("cvssV2", func() { scored(w, &rec.Impact.V2.Data) })
				default:
					w.Skip()
				}
			})
		case "publishedDate":
			rec.Published = w.Text()
		case "lastModifiedDate":
			rec.Modified = w.Text()
		default:
			w.Skip()
		}
	})
	return trees
}

// walk20 takes a 2.0 record.
func walk20(w *feeds.Walker, rec *record) (trees []know.Node) {
	w.Object(func(name []byte) {
		switch string(name) {
		case "id":
			rec.ID = w.Text()
		case "published":
			rec.Published = w.Text()
		case "lastModified":
			rec.Modified = w.Text()
		case "vulnStatus":
			rec.Status = w.Shared()
		case "descriptions":
			rec.Descriptions = texts(w)
		case "metrics":
			w.Object(func(name []byte) {
				if rec.Metrics == nil {
					rec.Metrics = map[string][]metric{}
				}
				family := string(name)
				w.Array(func() {
					var m metric
					w.Object(func(name []byte) {
						switch string(name) {
						case "source":
							m.Source = w.Shared()
						case "cvssData":
							scored(w, &m.Data)
						default:
							w.Skip()
						}
					})
					rec.Metrics[family] = append(rec.Metrics[family], m)
				})
			})
		case "cisaExploitAdd":
			rec.Exploited = w.Text()
		case "cisaActionDue":
			rec.Due = w.Text()
		case "cisaRequiredAction":
			rec.Action = w.Text()
		case "configurations":
			trees = w.Trees()
		case "references":
			rec.References = links(w)
		default:
			w.Skip()
		}
	})
	return trees
}

func links(w *feeds.Walker) (all []link) {
	w.Array(func() {
		var l link
		w.Member("url", func() { l.URL = w.Text() })
		all = append(all, l)
	})
	return all
}

func texts(w *feeds.Walker) (all []words) {
	w.Array(func() {
		var t words
		w.Object(func(name []byte) {
			switch string(name) {
			case "lang":
				t.Language = w.Shared()
			case "value":
				t.Value = w.Text()
			default:
				w.Skip()
			}
		})
		all = append(all, t)
	})
	return all
}

func scored(w *feeds.Walker, into *score) {
	w.Object(func(name []byte) {
		switch string(name) {
		case "version":
			into.Version = w.Shared()
		case "baseScore":
			into.Score = w.Number()
		case "vectorString":
			into.Vector = w.Shared()
		default:
			w.Skip()
		}
	})
}
