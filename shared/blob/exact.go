package blob

import (
	"errors"
	"io"
)

var errSize = errors.New("the body's length differs from the declared size")

// exactly returns body as a reader that fails unless it has size bytes. A seekable body stays seekable.
func exactly(body io.Reader, size int64) (io.Reader, error) {
	seeker, ok := body.(io.Seeker)
	if !ok {
		e := &exact{body: body, left: size}
		if size > 0 {
			return e, nil
		}
		if err := e.end(); err != io.EOF { // nobody reads an empty body
			return nil, err
		}
		return e, nil
	}
	here, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if _, err := seeker.Seek(here, io.SeekStart); err != nil {
		return nil, err
	}
	if end-here != size {
		return nil, errSize
	}
	return body, nil
}

// exact gives the last byte only when the end was seen behind it. net/http would send the declared number of bytes of
// a longer body, S3 would keep them, and only then the caller would learn of the error.
type exact struct {
	body io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, e.end()
	}
	if int64(len(p)) > e.left {
		p = p[:e.left]
	}
	n, err := e.body.Read(p)
	e.left -= int64(n)
	if e.left > 0 {
		if err == io.EOF {
			err = errSize
		}
		return n, err
	}
	if err == nil {
		err = e.end()
	}
	if err != io.EOF {
		return n - 1, err
	}
	return n, nil
}

// end returns io.EOF if nothing is left to read.
func (e *exact) end() error {
	n, err := io.ReadFull(e.body, make([]byte, 1))
	if n > 0 {
		return errSize
	}
	return err
}
