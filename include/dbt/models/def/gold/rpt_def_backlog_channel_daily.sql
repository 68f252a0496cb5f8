{{ backlog_report('def') }}
