package api

import (
	"net/http"
	"time"
)

// The codes that handlers name. The parser's other codes are in the table only: they reach a caller as
// the stored reason of a failed job.
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
	ProcessingFailed     = "PROCESSING_FAILED"
	RateLimited          = "RATE_LIMITED"
	Busy                 = "BUSY"
	ClientClosed         = "CLIENT_CLOSED_REQUEST"
	Internal             = "INTERNAL"
	Unavailable          = "UNAVAILABLE"
	DatabaseUnavailable  = "DATABASE_UNAVAILABLE"
	StorageUnavailable   = "STORAGE_UNAVAILABLE"
	ShuttingDown         = "SHUTTING_DOWN"
	Timeout              = "TIMEOUT"
)

// entry is one code's HTTP status, sentence and default Retry-After.
type entry struct {
	status   int
	sentence string
	retry    time.Duration
}

// codes is the one table of every CODE there is.
var codes = map[string]entry{
	InvalidRequest:       {400, "The request cannot be understood.", 0},
	InvalidJSON:          {400, "The request body is not valid JSON of the expected form.", 0},
	ValidationFailed:     {400, "A field of the request has a value that is not allowed.", 0},
	MissingFile:          {400, "Send the PDF as the multipart form field \"file\".", 0},
	InvalidPriority:      {400, "The priority must be high, normal or low.", 0},
	InvalidEvent:         {400, "The event cannot be understood.", 0},
	JobNotCompleted:      {400, "The job has no result yet.", 0},
	MissingSemesterDates: {400, "Lectures need the semester's start and end dates.", 0},
	InvalidSemesterDates: {400, "The semester's dates are not dates, or end before they start.", 0},
	InvalidReturnURL:     {400, "The returnUrl must lead back to this site.", 0},
	SignInFailed:         {400, "The sign-in could not be finished; please begin again.", 0},
	Unauthorized:         {401, "This call needs authorization.", 0},
	SignInRequired:       {401, "Sign in with Google, please.", 0},
	Forbidden:            {403, "This call is not allowed.", 0},
	PermissionMissing:    {403, "Google was not asked, or did not agree, to let us do this; sign in again and allow it.", 0},
	NotFound:             {404, "There is nothing at this address.", 0},
	JobNotFound:          {404, "There is no such job.", 0},
	FeedNotFound:         {404, "There is no such feed.", 0},
	CalendarNotFound:     {404, "There is no such calendar, or it cannot be written to.", 0},
	SyncNotFound:         {404, "There is no such sync.", 0},
	MethodNotAllowed:     {405, "This address does not answer that method.", 0},
	NotAcceptable:        {406, "The answer does not exist in an accepted form.", 0},
	Conflict:             {409, "The request conflicts with the present state.", 0},
	PayloadTooLarge:      {413, "The request is larger than allowed.", 0},
	FileTooLarge:         {413, "The file is larger than allowed.", 0},
	UnsupportedMediaType: {415, "The content type of the request is not supported.", 0},

	NotPDF:               {422, "This file is not a PDF. Download your timetable as a PDF and use that file.", 0},
	"PDF_ENCRYPTED":      {422, "The PDF is protected by a password.", 0},
	"PDF_NO_PAGES":       {422, "The PDF has no pages.", 0},
	"PDF_TOO_MANY_PAGES": {422, "The PDF has more pages than allowed.", 0},
	"PDF_TOO_LARGE":      {422, "The PDF is larger than allowed.", 0},
	"PDF_NO_TEXT":        {422, "The PDF contains no text; a scan cannot be read.", 0},
	"NO_TIMETABLE":       {422, "The PDF contains no timetable that is known here.", 0},
	"MIXED_TIMETABLES":   {422, "The PDF holds timetables of several kinds.", 0},
	"PDF_DAMAGED":        {422, "The PDF is damaged.", 0},
	"PDF_TOO_COMPLEX":    {422, "Reading the PDF takes more time or memory than allowed.", 0},
	"UPLOAD_INCOMPLETE":  {422, "The upload never finished; please upload the PDF again.", 0},
	"PDF_MISSING":        {422, "The uploaded PDF is no longer stored; please upload it again.", 0},
	"ATTEMPTS_EXHAUSTED": {422, "Processing was tried several times and never finished.", 0},
	"PROCESSING_TIMEOUT": {422, "Processing took longer than allowed.", 0},
	ProcessingFailed:     {422, "The PDF could not be processed.", 0},

	RateLimited: {429, "Too many requests; please try again later.", time.Second},
	Busy:        {429, "Too much work at the moment; please try again shortly.", time.Second},
	// 499 is nginx's number for a caller who went away; nobody is there to read it.
	ClientClosed:        {499, "The caller went away.", 0},
	Internal:            {500, "Something went wrong on our side.", 0},
	GoogleNotConfigured: {501, "Google sign-in is not set up on this server.", 0},
	GoogleRefused:       {502, "Google did not take what was sent.", 0},
	GoogleUnavailable:   {503, "Google cannot be reached at the moment; please try again shortly.", 10 * time.Second},
	Unavailable:         {503, "A service that this needs is away; please try again shortly.", 5 * time.Second},
	DatabaseUnavailable: {503, "The database is away; please try again shortly.", 5 * time.Second},
	StorageUnavailable:  {503, "The file storage is away; please try again shortly.", 5 * time.Second},
	ShuttingDown:        {503, "This instance is shutting down; please try again.", time.Second},
	Timeout:             {504, "The request took longer than allowed; please try again.", 5 * time.Second},
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
