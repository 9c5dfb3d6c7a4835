// Package story plays the main job, and a hospital lead's morning, through the pages, in a real browser: the real product is
// served from an empty directory on a clock that the test moves, the demonstration's federation comes in by the commands, and
// everything else is done as people do it, by following links and filling in forms. Every page on the way is held to what
// test/browser demands of a page.
package story
