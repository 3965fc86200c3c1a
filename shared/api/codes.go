package api

import (
	"net/http"
	"time"
)

// The codes that a caller may get. Those of the reader reach it as the stored reason of a failed job.
const (
	InvalidRequest       = "INVALID_REQUEST"
	InvalidJSON          = "INVALID_JSON"
	ValidationFailed     = "VALIDATION_FAILED"
	MissingFile          = "MISSING_FILE"
	InvalidPriority      = "INVALID_PRIORITY"
	InvalidEvent         = "INVALID_EVENT"
	JobNotCompleted      = "JOB_NOT_COMPLETED"
	MissingSemesterDates = "MISSING_SEMESTER_DATES"
	InvalidSemesterDates = "INVALID_SEMESTER_DATES"
	Unauthorized         = "UNAUTHORIZED"
	Forbidden            = "FORBIDDEN"
	NotFound             = "NOT_FOUND"
	JobNotFound          = "JOB_NOT_FOUND"
	FeedNotFound         = "FEED_NOT_FOUND"
	CalendarNotFound     = "CALENDAR_NOT_FOUND"
	SyncNotFound         = "SYNC_NOT_FOUND"
	YearNotFound         = "YEAR_NOT_FOUND"
	SignInRequired       = "GOOGLE_AUTH_REQUIRED"
	SignInFailed         = "GOOGLE_SIGN_IN_FAILED"
	PermissionMissing    = "GOOGLE_PERMISSION_MISSING"
	GoogleRefused        = "GOOGLE_REFUSED"
	GoogleUnavailable    = "GOOGLE_UNAVAILABLE"
	GoogleNotConfigured  = "GOOGLE_NOT_CONFIGURED"
	InvalidReturnURL     = "INVALID_RETURN_URL"
	MethodNotAllowed     = "METHOD_NOT_ALLOWED"
	NotAcceptable        = "NOT_ACCEPTABLE"
	Conflict             = "CONFLICT"
	PayloadTooLarge      = "PAYLOAD_TOO_LARGE"
	FileTooLarge         = "FILE_TOO_LARGE"
	UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE"
	NotPDF               = "NOT_A_PDF"
	PDFEncrypted         = "PDF_ENCRYPTED"
	PDFNoPages           = "PDF_NO_PAGES"
	PDFTooManyPages      = "PDF_TOO_MANY_PAGES"
	PDFTooLarge          = "PDF_TOO_LARGE"
	PDFNoText            = "PDF_NO_TEXT"
	PDFDamaged           = "PDF_DAMAGED"
	PDFTooComplex        = "PDF_TOO_COMPLEX"
	NoTimetable          = "NO_TIMETABLE"
	MixedTimetables      = "MIXED_TIMETABLES"
	UploadIncomplete     = "UPLOAD_INCOMPLETE"
	PDFMissing           = "PDF_MISSING"
	AttemptsExhausted    = "ATTEMPTS_EXHAUSTED"
	ProcessingTimeout    = "PROCESSING_TIMEOUT"
	ProcessingFailed     = "PROCESSING_FAILED"
	RateLimited          = "RATE_LIMITED"
	Busy                 = "BUSY"
	ClientClosed         = "CLIENT_CLOSED_REQUEST"
	Internal             = "INTERNAL"
	Unavailable          = "UNAVAILABLE"
	DatabaseUnavailable  = "DATABASE_UNAVAILABLE"
	StorageUnavailable   = "STORAGE_UNAVAILABLE"
	StorageFull          = "STORAGE_FULL"
	QuotaExceeded        = "STORAGE_QUOTA_EXCEEDED"
	QueueFull            = "QUEUE_FULL"
	ShuttingDown         = "SHUTTING_DOWN"
	Timeout              = "TIMEOUT"
)

// entry is one code's HTTP status, sentence and default Retry-After.
type entry struct {
	status   int
	sentence string
	retry    time.Duration
}

// codes is the one table of every CODE there is. Its sentences are for students, apart from those of codes that only
// a program can cause: what happened, then what to do.
var codes = map[string]entry{
	InvalidRequest:       {400, "We could not read this request. Reload the page and try again.", 0},
	InvalidJSON:          {400, "The request body is not JSON of the form that this call takes. Compare it with /api/openapi.json.", 0},
	ValidationFailed:     {400, "One of the values in this request is not allowed. Check the field that details names.", 0},
	MissingFile:          {400, "No file arrived. Choose the PDF of your timetable and try again.", 0},
	InvalidPriority:      {400, "The priority must be high, normal or low. Use one of these, or leave it out.", 0},
	InvalidEvent:         {400, "This is not an event that we can process. Check its type and its data.", 0},
	JobNotCompleted:      {400, "Your PDF has no result yet. Wait until it has been read, then try again.", 0},
	MissingSemesterDates: {400, "We need to know when your lectures begin and end. Give the first and the last day of the semester.", 0},
	InvalidSemesterDates: {400, "The dates of the semester do not make sense. Check that the first day comes before the last.", 0},
	InvalidReturnURL:     {400, "The sign-in may only lead back to our own pages. Begin it again from the page that you came from.", 0},
	SignInFailed:         {400, "We could not complete the sign-in. Go back and sign in again.", 0},
	Unauthorized:         {401, "We do not know who you are. Upload a timetable first, or send a valid token.", 0},
	SignInRequired:       {401, "You are not signed in with Google. Sign in and try again.", 0},
	Forbidden:            {403, "You are not allowed to do this. Open our own page and try from there.", 0},
	PermissionMissing:    {403, "Google says that we do not have your permission for this. Sign in again and allow it on Google's page.", 0},
	NotFound:             {404, "There is nothing at this address. Check it, or start again from the first page.", 0},
	JobNotFound:          {404, "We cannot find this upload. It may have been deleted: upload your PDF again.", 0},
	FeedNotFound:         {404, "We cannot find this calendar feed. It may have been deleted: create a new one.", 0},
	CalendarNotFound:     {404, "We cannot find this Google calendar, or you may not change it. Choose another one.", 0},
	SyncNotFound:         {404, "We cannot find this sync. Start a new one.", 0},
	YearNotFound:         {404, "We do not know the dates of this academic year yet. Give the first and the last day of your semesters yourself.", 0},
	MethodNotAllowed:     {405, "This address does not take requests of this kind. Check /api/openapi.json for those that it takes.", 0},
	NotAcceptable:        {406, "We cannot answer in the format that was asked for. Check the Accept header of the request.", 0},
	Conflict:             {409, "Something else is in the way of this. Wait a moment and try again.", 0},
	PayloadTooLarge:      {413, "The request is too large. Send less at once.", 0},
	FileTooLarge:         {413, "This file is too large. A timetable is far smaller: check that you chose the right file.", 0},
	QuotaExceeded:        {413, "You have no storage left for this file. Delete a timetable that you no longer need, and try again.", 0},
	UnsupportedMediaType: {415, "The request has the wrong content type. Send JSON with the content type application/json.", 0},

	NotPDF:            {422, "This file is not a PDF. Download your timetable as a PDF and use that file.", 0},
	PDFEncrypted:      {422, "This PDF is protected with a password. Save a copy without the password and use that.", 0},
	PDFNoPages:        {422, "This PDF has no pages. Download your timetable again.", 0},
	PDFTooManyPages:   {422, "This PDF has far more pages than a timetable. Use the PDF of your own timetable only.", 0},
	PDFTooLarge:       {422, "This PDF is far larger than a timetable. Check that you chose the right file.", 0},
	PDFNoText:         {422, "This PDF is a picture, such as a scan or a photo, and has no text that we can read. Use the PDF that you downloaded from the university.", 0},
	NoTimetable:       {422, "We found no lecture, test or exam timetable in this PDF. Check that you chose the right file.", 0},
	MixedTimetables:   {422, "This PDF holds timetables of several kinds. Use lectures, semester tests and exams as separate files.", 0},
	PDFDamaged:        {422, "This PDF is damaged, so we could not read all of it. Download your timetable again.", 0},
	PDFTooComplex:     {422, "This PDF takes far more work to read than a timetable. Download your timetable again.", 0},
	UploadIncomplete:  {422, "The upload did not finish. Upload your PDF again.", 0},
	PDFMissing:        {422, "We no longer have the PDF that you uploaded. Upload it again.", 0},
	AttemptsExhausted: {422, "We tried several times and could not finish reading this PDF. Upload it again.", 0},
	ProcessingTimeout: {422, "Reading this PDF took too long, so we stopped. Upload it again.", 0},
	ProcessingFailed:  {422, "We could not read this PDF. Upload it again.", 0},

	RateLimited: {429, "You have sent too many requests in a short time. Wait a moment and try again.", time.Second},
	Busy:        {429, "We are very busy right now. Wait a moment and try again.", time.Second},
	// 499 is nginx's number for a caller who went away; nobody is there to read it.
	ClientClosed:        {499, "The request was cancelled before we could answer. Try again.", 0},
	Internal:            {500, "Something went wrong on our side. Try again, and contact us with the request id if it happens again.", 0},
	GoogleNotConfigured: {501, "Signing in with Google is not available here. Download the calendar as a file instead.", 0},
	GoogleRefused:       {502, "Google did not accept what we sent. Try again later.", 0},
	GoogleUnavailable:   {503, "We cannot reach Google right now. Try again in a minute.", 10 * time.Second},
	Unavailable:         {503, "Part of our service is not available right now. Try again in a minute.", 5 * time.Second},
	DatabaseUnavailable: {503, "Our database is not available right now. Try again in a minute.", 5 * time.Second},
	StorageUnavailable:  {503, "Our file storage is not available right now. Try again in a minute.", 5 * time.Second},
	StorageFull:         {503, "Our file storage is full, so we cannot take uploads right now. Try again in an hour.", 5 * time.Minute},
	QueueFull:           {503, "So many timetables are waiting to be read that we cannot take yours yet. Try again in half a minute.", 30 * time.Second},
	ShuttingDown:        {503, "This server is just being restarted. Try again.", time.Second},
	Timeout:             {504, "This took too long, so we stopped. Try again.", 5 * time.Second},
}

// Status is the HTTP status of a code; 500 of one that the table does not have.
func Status(code string) int {
	if e, ok := codes[code]; ok {
		return e.status
	}
	return http.StatusInternalServerError
}

// Sentence is the table's sentence for people of a code, or empty.
func Sentence(code string) string { return codes[code].sentence }
