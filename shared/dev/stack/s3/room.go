package s3

import (
	"io"
	"net/http"

	"github.com/schedgen/schedgen/shared/diskspace"
)

// reserving refuses objects that have no room, before anything of them is written, with MinIO's error.
func reserving(next http.Handler, room *diskspace.Room) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut || r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		done, err := room.Take(max(0, r.ContentLength))
		if err != nil {
			_, _ = io.Copy(io.Discard, r.Body) // a client that still sends does not read the answer
			writeError(w, r, http.StatusInsufficientStorage, "XMinioStorageFull",
				"Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed.")
			return
		}
		defer done()
		next.ServeHTTP(w, r)
	})
}
