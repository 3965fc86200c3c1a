package e2e_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestAStudentUsesThePage does in a real browser, as wide as a phone, what a student does: choose a
// PDF, look at the events, download the calendar, delete it all.
func TestAStudentUsesThePage(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("needs Chromium: run `make setup`, or apt-get install chromium")
	}
	w := embedded(t)
	paper := generated(t, fixture.Options{Kind: timetable.Exam, Seed: 31, Modules: 4})
	file := filepath.Join(t.TempDir(), "exams.pdf")
	if err := os.WriteFile(file, paper.pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, downloads := openBrowser(t, program)

	err = chromedp.Do(ctx,
		chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile),
		chromedp.Navigate(w.url+"/"),
		chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}),
		chromedp.Click(chromedp.CSS("button[type=submit]")),
		chromedp.WaitVisible(chromedp.CSS("table")),
	)
	if err != nil {
		t.Fatal(err)
	}
	heading, headingErr := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("h1")))
	caption, captionErr := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("caption")))
	fits, fitsErr := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.documentElement.scrollWidth <= 390"))
	if err := errors.Join(headingErr, captionErr, fitsErr); err != nil {
		t.Fatal(err)
	}
	if heading != "Exams" || !strings.Contains(caption, "exams.pdf") || !fits {
		t.Errorf("got heading %q, caption %q, fits a phone: %v", heading, caption, fits)
	}
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form[action='/api/generate/ics'] button"))); err != nil {
		t.Fatal(err)
	}
	expectSame(t, "the downloaded calendar", readBack(t, downloaded(t, downloads)), dates(paper.doc))
	err = chromedp.Do(ctx,
		chromedp.Click(chromedp.CSS("button.quiet")),
		chromedp.WaitNotPresent(chromedp.CSS("table")),
		chromedp.WaitVisible(chromedp.CSS("#file")),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// openBrowser opens a browser that is gone after the test, and gives where it puts downloads.
func openBrowser(t *testing.T, program string) (ctx context.Context, downloads string) {
	t.Helper()
	downloads = t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil && ctx.Err() == nil {
			t.Errorf("close the browser: %v", err)
		}
		cancel()
	})
	allow := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: downloads,
		})
		return err
	})
	if err := chromedp.Do(ctx, allow); err != nil {
		t.Fatalf("open the browser: %v", err)
	}
	return ctx, downloads
}

// downloaded waits for the one file in a directory.
func downloaded(t *testing.T, dir string) string {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		files, err := filepath.Glob(filepath.Join(dir, "*.ics"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 1 {
			text, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		select {
		case <-over.C:
			t.Fatal("nothing was downloaded")
		case <-tick.C:
		}
	}
}
