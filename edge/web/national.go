package web

// routesNational are the pages of the national watch, and those that it shares with everybody.
func (s *Site) routesNational() {
	s.routesWatch()
	s.routesAlerts()
	s.routesAlertLife()
	s.routesDisputes()
	s.routesQueue()
	s.routesFindings()
	s.routesLog()
	s.routesSearch()
	s.routesReach()
	s.routesAliases()
	s.routesWeaknesses()
	s.routesFeeds()
	s.routesCoverage()
	s.routesDetections()
	s.routesStory()
	s.routesPeople()
}
