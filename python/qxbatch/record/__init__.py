"""What a session folder says about itself: image names and numbers, session.txt, reports, ledger, summary."""
