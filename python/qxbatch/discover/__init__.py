"""What lies in the inbox, or in session folders, and what is to be done with each thing found."""
