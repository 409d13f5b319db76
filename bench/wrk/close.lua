wrk.headers['Connection'] = 'close'
