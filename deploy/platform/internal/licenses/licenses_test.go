package licenses

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAllowed(t *testing.T) {
	t.Parallel()
	for licence, want := range map[string]bool{
		"MIT": true, "MIT AND BSD-3-Clause": true, "(MIT OR GPL-3.0)": true, "BSD-3-Clause OR GPL-2.0-only": true,
		"GPL-3.0": false, "MIT AND GPL-3.0": false, "AGPL-3.0 OR SSPL-1.0": false, "unknown": false, "MIT AND unknown": false,
		"": false, "UNLICENSED": false, "SEE LICENSE IN LICENSE": false,
	} {
		if got := Allowed(licence); got != want {
			t.Errorf("%q: got %v, want %v", licence, got, want)
		}
	}
}

const (
	isc = `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR
CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT,
NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.`
	gpl = `This program is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License
as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version.

This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU General Public License for more details.

You should have received a copy of the GNU General Public License along with this program. If not, see
<http://www.gnu.org/licenses/>.`
)

func TestOfModule(t *testing.T) {
	t.Parallel()
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"a known licence":          {map[string]string{"LICENSE": isc}, true},
		"its file by another name": {map[string]string{"License.txt": isc, "main.go": "package main"}, true},
		"none":                     {map[string]string{"README.md": isc}, false},
		"words of its own":         {map[string]string{"LICENSE": "You may look at this software on Tuesdays."}, false},
		"one that binds":           {map[string]string{"COPYING": gpl}, false},
		"two, of which one binds":  {map[string]string{"LICENSE": isc, "LICENSE.assets": gpl}, false},
	} {
		dir := t.TempDir()
		for file, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := reader.OfModule(Module{Path: "example.org/m", Version: "v1.0.0", Dir: dir})
		if err != nil || Allowed(got.Licence) != c.want {
			t.Errorf("%s: got %+v, %v; want it allowed: %v", name, got, err, c.want)
		}
	}
	if _, err := reader.OfModule(Module{Dir: filepath.Join(t.TempDir(), "absent")}); err == nil {
		t.Error("a module that is not there has a licence")
	}
}

func TestModules(t *testing.T) {
	t.Parallel()
	got, err := Modules([]byte(`{"Module":{"Path":"a","Main":true}}{}{"Module":{"Path":"b","Version":"v1","Dir":"/b"}}{"Module":{"Path":"b","Version":"v1","Dir":"/b"}}`))
	if err != nil || len(got) != 1 || got[0] != (Module{"b", "v1", "/b"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Modules([]byte("{")); err == nil {
		t.Error("half a list was read")
	}
}

func TestNPM(t *testing.T) {
	t.Parallel()
	got, err := NPM([]byte(`{"packages":{"":{"license":"none"},"node_modules/a":{"version":"1","license":"MIT"},
		"node_modules/b/node_modules/@c/d":{"version":"2"},"packages/own":{"version":"3"},"node_modules/own":{"link":true}}}`))
	if err != nil || len(got) != 2 || got[0] != (Dependency{"@c/d", "2", ""}) || got[1] != (Dependency{"a", "1", "MIT"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if Allowed(got[0].Licence) {
		t.Error("a package without a licence is allowed")
	}
	if _, err := NPM([]byte(strings.Repeat("[", 9))); err == nil {
		t.Error("a broken file was read")
	}
}
